/* A form made from a JSON Schema: settings of a channel, options of a display. */
import { check, choice, number, text } from "./field.js";

/** Make the fields of an object's properties; `values` is changed in place, keys left at the default are left out. */
export function schemaFields(schema, values, path, draft) {
  return Object.entries(schema?.properties ?? {}).map(([key, given]) => {
    const wanted = resolved(given, schema);
    const take = (value) => {
      if (value === null || value === undefined) delete values[key]; else values[key] = value;
      draft.touch();
    };
    const at = `${path}.${key}`;
    const options = { path: at, problems: draft.problemsAt(at), hint: wanted.description ?? "", placeholder: wanted.default === null || wanted.default === undefined ? "" : String(wanted.default) };
    return one(wanted.title ?? titled(key), key in values ? values[key] : wanted.default, wanted, take, options);
  });
}

function one(label, value, schema, take, options) {
  if (schema.type === "boolean") return check(label, value, take, options);
  if (schema.enum) {
    const choices = schema.enum.map((each) => [JSON.stringify(each), each === null ? "–" : String(each)]);
    return choice(label, JSON.stringify(value ?? null), choices, (picked) => take(JSON.parse(picked)), options);
  }
  if (schema.type === "integer" || schema.type === "number") {
    const step = schema.type === "integer" ? 1 : "any";
    return number(label, value, take, { ...options, step, min: schema.minimum, max: schema.maximum });
  }
  return text(label, value, (typed) => take(typed === "" && (schema.default ?? "") === "" ? null : typed), { ...options, maxLength: schema.maxLength });
}

/** Return a property's schema with its reference followed and `null` taken out of its types. */
function resolved(given, root) {
  let schema = given;
  if (schema.$ref) schema = { ...root.$defs?.[schema.$ref.split("/").at(-1)], ...schema };
  const several = schema.anyOf ?? schema.oneOf;
  if (several) {
    const real = several.filter((each) => each.type !== "null").map((each) => resolved(each, root));
    const named = real.find((each) => each.enum) ?? real[0] ?? {};
    schema = { ...named, ...schema };
  }
  if (Array.isArray(schema.type)) schema = { ...schema, type: schema.type.find((type) => type !== "null") };
  if (schema.const !== undefined) schema = { ...schema, enum: [schema.const] };
  return schema;
}

function titled(key) {
  const words = key.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}
