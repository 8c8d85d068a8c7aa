import js from "@eslint/js";
import globals from "globals";

import { noLiteralText } from "./lint/no-literal-text.js";

export default [
  { ignores: ["web/vendor/**"] },
  js.configs.recommended,
  { languageOptions: { globals: globals.browser } },
  {
    files: ["web/test/**", "lint/**", "eslint.config.js"],
    languageOptions: { globals: globals.node },
  },
  {
    files: ["web/*.js", "web/view/**", "web/model/**"],
    ignores: ["web/model/snippets.js", "web/model/language.js"],
    plugins: { page: { rules: { "no-literal-text": noLiteralText } } },
    rules: { "page/no-literal-text": "error" },
  },
];
