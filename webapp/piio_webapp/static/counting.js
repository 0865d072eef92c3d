/* Channels that count: what an interface measures of its lines, each by its name beside the line's, as `17-pulses`. */

/** The line and the measure that a counting channel stands for; null for any other channel. */
export function counted(capability, id) {
  const at = id?.lastIndexOf("-") ?? -1;
  if (at < 1 || !capability?.counting || Object.hasOwn(capability.channels, id)) return null;
  const [line, measure] = [id.slice(0, at), id.slice(at + 1)];
  return capability.channels[line]?.counts && Object.hasOwn(capability.counting.measures, measure) ? { line, measure } : null;
}

/** What a channel can do, be it one that is listed or what is measured of one; null if there is none. */
export function channelOf(capability, id) {
  const found = counted(capability, id);
  if (!found) return capability?.channels?.[id] ?? null;
  const { title, high = null } = capability.counting.measures[found.measure];
  return { label: `${capability.channels[found.line].label}: ${title.toLowerCase()}`, directions: ["input"], kind: "analog", low: 0, high };
}

/** The JSON Schema of a channel's settings. */
export function settingsOf(capability, id) {
  if (!counted(capability, id)) return capability?.settings ?? {};
  return { ...capability.settings, properties: { ...capability.settings?.properties, ...capability.counting.settings?.properties } };
}
