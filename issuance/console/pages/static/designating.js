// The form by which an institution is proposed for designation, or what it may scan for is.

import { newRequestId } from "./ask.js";
import { $, ToldError, call, el } from "./bureau.js";
import { pick, t } from "./language.js";
import { KINDS } from "./place_words.js";

// The national coding of designated institutions: a letter, the region's six digits, five more.
const NATIONAL = /^([HP])([0-9]{6})[0-9]{5}$/;
const KIND_OF = { H: "hospital", P: "pharmacy" };
const FIELDS = [
  ["place-code", /^[A-Z0-9]{6,20}$/, t("编码应为 6 至 20 个字母或数字。", "The code has 6 to 20 letters and digits.")],
  ["place-name", /\S/, t("请填机构名称。", "Give its name.")],
  ["place-region", /^[0-9]{6}$/, t("行政区划应为 6 位数字。", "The region has six digits.")],
];

let types = [];
// Of the institution whose types are changed; null where one is designated.
let changed = null;
let afterwards = null;
let key = null;

export async function loadTypes() {
  types = (await call("GET", "/business-types")).business_types;
}

/** What an institution may scan for, in words. */
export function typesOf({ business_types: codes }) {
  if (codes === null) return t("该类机构的全部", "all of its kind");
  if (!codes.length) return t("无", "nothing");
  return codes.map(nameOf).join(t("、", ", "));
}

function nameOf(code) {
  const found = types.find((one) => one.code === code);
  return found ? pick(found, "name") : code;
}

/** Opens the form for a new institution; `done` is called once it is proposed. */
export function designate(done) {
  open(null, done, t("登记新机构", "Designate an institution"));
  for (const id of ["place-code", "place-name", "place-region"]) $(id).value = "";
  draw("hospital", null);
  $("place-code").focus();
}

/** Opens the form for what an institution may scan for. */
export function changeTypes(institution, done) {
  open(institution, done, t(`更改可用业务：${institution.name}`, `Business types of ${institution.name}`));
  draw(institution.kind, institution.business_types);
  $("all-types").focus();
}

function open(institution, done, title) {
  changed = institution;
  afterwards = done;
  key = newRequestId();
  $("designating-title").textContent = title;
  complain("");
  $("new-place").hidden = institution !== null;
  $("designating").showModal();
}

/** What may be scanned for at such a place, to choose from. */
function draw(kind, chosen) {
  $("place-kind").value = kind;
  $("all-types").checked = chosen === null;
  $("types").hidden = chosen === null;
  $("types").replaceChildren(
    ...types.filter((one) => one.kinds.includes(kind)).map((one) => choice(one, !chosen || chosen.includes(one.code))),
  );
}

function choice(one, checked) {
  const input = el("input", { type: "checkbox", value: one.code, checked });
  return el("label", {}, input, el("span", {}, `${pick(one, "name")} `, el("small", {}, one.code)));
}

function chosenTypes() {
  if ($("all-types").checked) return null;
  return [...$("types").querySelectorAll("input:checked")].map((one) => one.value);
}

/** Whether something is wrong with what was filled in, which is said below its field. */
function hasFault() {
  const found = FIELDS.find(([id, pattern]) => !pattern.test($(id).value.trim()));
  if (!found) return false;
  const [id, , words] = found;
  $(id).focus({ preventScroll: true });
  complain(words, $(id));
  return true;
}

/** Says what is wrong where it is seen: below a field, or before the buttons. */
function complain(words, field = null) {
  const problem = $("designating-problem");
  if (field) field.after(problem);
  else $("designating-form").querySelector(".actions").before(problem);
  problem.textContent = words;
  if (words) (field?.closest(".field") ?? problem).scrollIntoView({ block: "nearest" });
}

async function send() {
  const business_types = chosenTypes();
  if (changed) {
    return call("POST", `/institutions/${changed.code}/business-types`, { body: { business_types }, key });
  }
  const body = {
    code: $("place-code").value.trim(),
    name: $("place-name").value.trim(),
    kind: $("place-kind").value,
    region: $("place-region").value.trim(),
    business_types,
  };
  return call("POST", "/institutions", { body, key });
}

async function submit(event) {
  event.preventDefault();
  complain("");
  if (!changed && hasFault()) return;
  $("designating-send").disabled = true;
  try {
    await send();
    $("designating").close();
    await afterwards();
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    complain(error.message);
    // What was refused is corrected: another request. One without an answer is repeated.
    if (error.answer) key = newRequestId();
  } finally {
    $("designating-send").disabled = false;
  }
}

function readCode() {
  const code = $("place-code").value.toUpperCase();
  $("place-code").value = code;
  const told = NATIONAL.exec(code.trim());
  if (!told) return;
  $("place-region").value = told[2];
  draw(KIND_OF[told[1]], chosenTypes());
}

$("place-kind").replaceChildren(...Object.entries(KINDS).map(([kind, word]) => el("option", { value: kind }, word)));
$("place-kind").addEventListener("change", () => draw($("place-kind").value, $("all-types").checked ? null : []));
$("place-code").addEventListener("change", readCode);
$("all-types").addEventListener("change", () => {
  $("types").hidden = $("all-types").checked;
});
$("designating-form").addEventListener("submit", submit);
$("designating-no").addEventListener("click", () => $("designating").close());
