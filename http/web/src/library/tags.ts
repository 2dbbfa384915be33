/** "cats, #Dogs , cats" -> ["cats", "Dogs"]: what people type as tags, as the API takes them. */
export function cleanTags(text: string): string[] {
  const seen = new Set<string>();
  return text
    .split(/[,\n]/)
    .map((tag) => tag.trim().replace(/^#+/, "").trim())
    .filter((tag) => tag && !seen.has(tag.toLowerCase()) && seen.add(tag.toLowerCase()));
}
