import { byId, element } from '../shared/dom.js';
import type { HandleInfo, RoomHandle } from './admin-api.js';
import { Table } from './table.js';

/** Asks before something is done that can't be taken back. @returns whether to do it */
export function confirmed(title: string, words: string, yes: string): Promise<boolean> {
  const dialog = byId('confirm', HTMLDialogElement);
  const accept = byId('confirm-yes', HTMLButtonElement);
  byId('confirm-title', HTMLElement).textContent = title;
  byId('confirm-words', HTMLElement).textContent = words;
  accept.textContent = yes;
  dialog.returnValue = '';
  accept.onclick = () => dialog.close('yes');
  byId('confirm-no', HTMLButtonElement).onclick = () => dialog.close();
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** One stream of one handle, as the worker counts it. */
interface StreamRow {
  key: string;
  what: string;
  packets: number;
  lost: number;
  jitter: number | null;
  roundTrip: number | null;
  state: string;
}

const milliseconds = (value: number | null) => (value === null ? '–' : `${Math.round(value)} ms`);

function rowsOf({ handle_id: handle, source }: RoomHandle, { plugin_specific: plugin }: HandleInfo): StreamRow[] {
  return (plugin?.streams ?? []).map((stream, index) => ({
    key: `${handle} ${index}`,
    what: stream.direction === 'up' ? `sends ${stream.kind}` : `${stream.kind} of ${source ?? '?'}`,
    packets: stream.packets,
    lost: stream.lost,
    jitter: stream.jitter,
    roundTrip: stream.round_trip_time,
    state: stream.receiving === false ? 'nothing comes' : stream.suspended ? 'waits for a keyframe' : 'flows',
  }));
}

/** Shows what a user sends and gets, stream by stream. @param ask for a handle's `handle_info` */
export async function showStreams(
  user: string,
  handles: readonly RoomHandle[],
  ask: (session: number, handle: number) => Promise<HandleInfo>,
): Promise<void> {
  const dialog = byId('details', HTMLDialogElement);
  const body = byId('details-body', HTMLElement);
  byId('details-title', HTMLElement).textContent = user;
  body.replaceChildren('One moment …');
  byId('details-close', HTMLButtonElement).onclick = () => dialog.close();
  dialog.showModal();
  const rows = await Promise.all(
    handles.map(async (handle) => {
      if (handle.session_id === undefined || handle.handle_id === undefined) return [];
      return rowsOf(handle, await ask(handle.session_id, handle.handle_id));
    }),
  ).catch((error: Error) => error);
  if (rows instanceof Error) {
    body.replaceChildren(rows.message);
    return;
  }
  const root = element('table');
  body.replaceChildren(root);
  const table = new Table<StreamRow>(
    root,
    `Streams of ${user}`,
    [
      { title: 'Stream', value: ({ what }) => what },
      { title: 'Packets', value: ({ packets }) => String(packets), figures: true },
      { title: 'Lost', value: ({ lost }) => String(lost), figures: true },
      { title: 'Jitter', value: ({ jitter }) => milliseconds(jitter), figures: true },
      { title: 'Round trip', value: ({ roundTrip }) => milliseconds(roundTrip), figures: true },
      { title: 'State', value: ({ state }) => state },
    ],
    ({ key }) => key,
  );
  table.update(rows.flat());
  if (rows.flat().length === 0) body.replaceChildren('There are no streams.');
}
