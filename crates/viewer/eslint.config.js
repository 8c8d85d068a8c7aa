import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["web/vendor/**"] },
  js.configs.recommended,
  { languageOptions: { globals: globals.browser } },
  {
    files: ["web/test/**", "eslint.config.js"],
    languageOptions: { globals: globals.node },
  },
];
