/** In the name of a channel an id is percent-encoded; most ids stay as they are. See docs/tokens.md. */
const encodeId = (id) =>
  encodeURIComponent(id)
    .replace(/%(?:3A|40|2B)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

export const channelOf = (room) => `project:${encodeId(room)}`;

/** Cursors are EPOCH.NUMBER. Those of one epoch compare by their number; another epoch is newer. */
export function isNewer(cursor, known) {
  const [epoch, number] = cursor.split('.');
  const [knownEpoch, knownNumber] = known?.split('.') ?? [];
  return epoch !== knownEpoch || Number(number) > Number(knownNumber);
}
