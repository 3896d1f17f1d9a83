/**
 * Text of agents, repositories and other people as it may stand in a terminal: without escape
 * sequences, control characters and marks that reorder what is read. Lines and tabs stay.
 */
export function plainText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(ESCAPE_SEQUENCE, '')
    .replace(CONTROL_CHARACTER, '')
    .replace(REORDERING_MARK, '');
}

/** The same on one line: what would break it becomes one space. */
export function plainLine(text: string): string {
  return plainText(text).replace(LAST_BREAKS, '').replace(LINE_BREAK, ' ');
}

/**
 * Longest first: strings that end with BEL or ST (OSC, DCS, SOS, PM, APC), CSI, then any other escape.
 * An unfinished string loses its introducer only; what follows is text like any other.
 */
const ESCAPE_SEQUENCE = new RegExp(
  [
    String.raw`(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c\n]{0,4096}(?:\u0007|\u001b\\|\u009c)`,
    String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]`,
    String.raw`\u001b[ -/]*[0-~]?`,
  ].join('|'),
  'g',
);
const CONTROL_CHARACTER = new RegExp(String.raw`[\u0000-\u0008\u000b-\u001f\u007f-\u009f]`, 'g');
const REORDERING_MARK = new RegExp(
  String.raw`[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]`,
  'g',
);
const LINE_BREAK = /[\n\t]+/g;
const LAST_BREAKS = /[\n\t]+$/;
