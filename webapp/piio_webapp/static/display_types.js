/* The displays there are: modules found by the server, loaded through one door. */
import { Display } from "./display.js";

const types = new Map();

/** Load every display once; one that fails is told and left out. Returns type → {type, tag, manifest, constructor}. */
export async function displayTypes() {
  if (types.size) return types;
  const listed = await (await fetch("/displays/")).json();
  await Promise.all(Object.entries(listed).map(async ([type, url]) => {
    try {
      const module = await import(url);
      const tag = `piio-${type}`;
      customElements.define(tag, module.default);
      types.set(type, { type, tag, manifest: { label: type, options: {}, ...module.manifest }, constructor: module.default });
    } catch (error) {
      console.error(`the display ${url} cannot be used:`, error);
    }
  }));
  return types;
}

/** Return the options' defaults as the manifest's schema says them. */
export function defaultsOf(manifest) {
  const properties = Object.entries(manifest.options?.properties ?? {});
  return Object.fromEntries(properties.filter(([, schema]) => schema.default !== undefined).map(([key, schema]) => [key, schema.default]));
}

export { Display };
