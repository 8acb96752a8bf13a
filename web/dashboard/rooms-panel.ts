import { byId } from '../shared/dom.js';
import type { RoomState, RoomUser } from './admin-api.js';
import { drawRoom, hidden, sourcesOf } from './room-graph.js';
import { Table } from './table.js';

/** Rooms of more than these are found by the filter. */
const MOST_ROOMS = 100;

export interface RoomsParts {
  /** Whether rooms are on many nodes. */
  nodes: boolean;
  onKick: (room: string, user: string) => void;
  onDetails: (user: RoomUser) => void;
}

/** The list of rooms, and the one that was opened: drawn, and user by user. */
export class RoomsPanel {
  readonly #section = byId('room', HTMLElement);
  readonly #title = byId('room-title', HTMLElement);
  readonly #graph = byId('graph', HTMLElement);
  readonly #filter = byId('filter', HTMLInputElement);
  readonly #more = byId('rooms-more', HTMLElement);
  readonly #rooms: Table<RoomState>;
  readonly #users: Table<RoomUser>;
  #all: RoomState[] = [];
  #opened: string | null = null;
  /** Of what the graph was drawn: it is drawn anew only when something has changed. */
  #drawn = '';

  constructor({ nodes, onKick, onDetails }: RoomsParts) {
    this.#rooms = new Table<RoomState>(
      byId('rooms', HTMLElement),
      'Rooms',
      [
        { title: 'Room', value: ({ room_id }) => room_id },
        { title: 'Users', value: ({ users }) => String(users.length), figures: true },
        { title: 'Publish', value: ({ publishers }) => String(publishers), figures: true },
        { title: 'Workers', value: ({ shards }) => shards.join(', ') || '–' },
        ...(nodes ? [{ title: 'Node', value: ({ node }: RoomState) => node ?? '–' }] : []),
      ],
      ({ room_id, node = '' }) => JSON.stringify([room_id, node]),
      [{ label: 'Open', name: ({ room_id }) => room_id, run: ({ room_id }) => this.#open(room_id) }],
    );
    this.#users = new Table<RoomUser>(
      byId('users', HTMLElement),
      'Users of the room',
      [
        { title: 'User', value: ({ user_id }) => user_id },
        { title: 'Publishes', value: ({ publisher }) => (publisher ? 'yes' : 'no') },
        { title: 'Hears', value: (user) => this.#heard(user) },
        { title: 'Has blocked', value: ({ blocked }) => blocked.join(', ') || '–' },
        { title: 'Workers', value: ({ handles }) => workersOf(handles) },
      ],
      ({ user_id }) => user_id,
      [
        { label: 'Streams', name: ({ user_id }) => `of ${user_id}`, run: onDetails },
        {
          label: 'Kick',
          name: ({ user_id }) => user_id,
          danger: true,
          run: ({ user_id }) => {
            if (this.#opened !== null) onKick(this.#opened, user_id);
          },
        },
      ],
    );
    this.#filter.addEventListener('input', () => this.#show());
  }

  update(rooms: RoomState[]): void {
    this.#all = rooms;
    this.#show();
  }

  #show(): void {
    const wanted = this.#filter.value.trim().toLowerCase();
    const matches = ({ room_id, node, users }: RoomState) =>
      [room_id, node ?? '', ...users.map(({ user_id }) => user_id)].some((text) => text.toLowerCase().includes(wanted));
    const found = this.#all.filter(matches).sort((a, b) => b.users.length - a.users.length || compare(a, b));
    this.#rooms.update(found.slice(0, MOST_ROOMS));
    const left = found.length - MOST_ROOMS;
    this.#more.textContent =
      found.length === 0 ? 'There is nobody.' : left > 0 ? `And ${left} more: find them by name.` : '';
    this.#showRoom();
  }

  #open(room: string): void {
    this.#opened = room;
    this.#showRoom();
    this.#title.focus();
  }

  #showRoom(): void {
    const room = this.#current();
    this.#section.hidden = this.#opened === null;
    if (this.#opened === null) return;
    this.#title.textContent = room ? `Room ${this.#opened}` : `Room ${this.#opened}: nobody is there any more`;
    const users = [...(room?.users ?? [])].sort((a, b) => (a.user_id < b.user_id ? -1 : 1));
    this.#users.update(users);
    const state = JSON.stringify(room ?? null);
    if (state === this.#drawn) return;
    this.#drawn = state;
    this.#graph.replaceChildren(...(room ? [drawRoom(room)] : []));
  }

  #current(): RoomState | undefined {
    return this.#all.find(({ room_id }) => room_id === this.#opened);
  }

  /** Those whose media this user gets, blocks left out. */
  #heard(user: RoomUser): string {
    const room = this.#current();
    if (!room) return '–';
    return (
      sourcesOf(user)
        .filter((source) => !hidden(room, user.user_id, source))
        .join(', ') || '–'
    );
  }
}

const compare = (a: RoomState, b: RoomState) => (a.room_id < b.room_id ? -1 : 1);

function workersOf(handles: RoomUser['handles']): string {
  const workers = handles.flatMap(({ shard }) => (shard === null ? [] : [shard]));
  return [...new Set(workers)].sort((a, b) => a - b).join(', ') || '–';
}
