/** Where Stripe pays to (https://stripe.com/global), by ISO 3166; the server has the last word. Pure. */
const CODES =
  "AE AT AU BE BG BR CA CH CY CZ DE DK EE ES FI FR GB GI GR HK HR HU IE IT JP LI LT LU LV MT MX MY NL NO NZ PL PT RO SE SG SI SK TH US".split(" ");

export function countries(locale?: string): [string, string][] {
  const names = new Intl.DisplayNames(locale, { type: "region" });
  return CODES.map((code): [string, string] => [code, names.of(code) ?? code]).sort(([, a], [, b]) => a.localeCompare(b, locale));
}

/** The one the browser's language names, if it can be; else none is chosen beforehand. */
export function likelyCountry(languages: readonly string[]): string {
  const regions = languages.map((language) => /-([A-Z]{2})$/.exec(language)?.[1]);
  return regions.find((region) => region !== undefined && CODES.includes(region)) ?? "";
}
