/** The words of a text, in order. */
export function words(text) {
  return text.split(/\s+/).filter((word) => word !== '');
}
