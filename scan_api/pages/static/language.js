// The page's language; both languages stand side by side where they are used.

const chinese = document.documentElement.lang.startsWith("zh");

/** The text in the page's language. */
export const t = (zh, en) => (chinese ? zh : en);

/** Field `name` of an answer that carries `name_zh` and `name_en`; for problems, `name` is English. */
export const pick = (answer, name) =>
  (chinese ? answer[`${name}_zh`] : (answer[`${name}_en`] ?? answer[name])) ?? "";
