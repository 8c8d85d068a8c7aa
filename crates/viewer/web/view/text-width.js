// The width of a text before it is laid out.

const MAX_KNOWN = 2000;
/** @type {Map<string, number>} */
const known = new Map();
const pen = document.createElement("canvas").getContext("2d");

/** @param {string} text @param {string} font as in CSS */
export function textWidth(text, font) {
  const key = `${font} ${text}`;
  const width = known.get(key);
  if (width !== undefined) return width;
  if (known.size >= MAX_KNOWN) known.clear();
  if (pen) pen.font = font;
  const measured = pen ? pen.measureText(text).width : text.length * 8;
  known.set(key, measured);
  return measured;
}
