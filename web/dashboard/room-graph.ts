import { drawn } from '../shared/dom.js';
import type { RoomState, RoomUser } from './admin-api.js';

const SIZE = 480;
const RADIUS = 170;
const NODE = 15;
/** More than a picture can show: those beyond are only in the table. */
const MOST_USERS = 40;
const NAME_LENGTH = 18;

export interface Place {
  user: string;
  publisher: boolean;
  x: number;
  y: number;
}

export interface Line {
  from: string;
  to: string;
  /** `hears`: media go from `from` to `to`; `silent`: they would, but for a block; `blocks`: `from` has blocked `to`. */
  kind: 'hears' | 'silent' | 'blocks';
}

/** Whose media a user gets, each once. */
export function sourcesOf({ handles }: RoomUser): string[] {
  return [...new Set(handles.flatMap(({ source }) => (source === undefined ? [] : [source])))];
}

/** Whether one of two users has blocked the other. */
export function hidden({ users }: RoomState, one: string, other: string): boolean {
  const blocks = (from: string, to: string) => users.find(({ user_id }) => user_id === from)?.blocked.includes(to);
  return (blocks(one, other) ?? false) || (blocks(other, one) ?? false);
}

/** Who is drawn where, and the lines between them. Users stand on a circle, in the order of their ids, so that they stay. */
export function layOut(room: RoomState): { places: Place[]; lines: Line[]; left: number } {
  const users = [...room.users].sort((a, b) => (a.user_id < b.user_id ? -1 : 1)).slice(0, MOST_USERS);
  const shown = new Set(users.map(({ user_id }) => user_id));
  const radius = users.length === 1 ? 0 : RADIUS;
  const places = users.map(({ user_id: user, publisher }, index) => {
    const angle = (2 * Math.PI * index) / users.length - Math.PI / 2;
    return { user, publisher, x: SIZE / 2 + radius * Math.cos(angle), y: SIZE / 2 + radius * Math.sin(angle) };
  });
  const lines: Line[] = users.flatMap((user) => {
    const { user_id: id, blocked } = user;
    return [
      ...sourcesOf(user)
        .filter((from) => shown.has(from))
        .map((from): Line => ({ from, to: id, kind: hidden(room, id, from) ? 'silent' : 'hears' })),
      ...blocked.filter((to) => shown.has(to)).map((to): Line => ({ from: id, to, kind: 'blocks' })),
    ];
  });
  return { places, lines, left: room.users.length - users.length };
}

/** A bent arrow between the edges of two circles: each direction has a bend of its own. */
function arrow(from: Place, to: Place, bend: number): string {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const middle = { x: (from.x + to.x) / 2 - uy * bend, y: (from.y + to.y) / 2 + ux * bend };
  const start = { x: from.x + ux * NODE, y: from.y + uy * NODE };
  const end = { x: to.x - ux * (NODE + 7), y: to.y - uy * (NODE + 7) };
  const point = ({ x, y }: { x: number; y: number }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${point(start)}Q${point(middle)} ${point(end)}`;
}

function marker(kind: Line['kind']): SVGMarkerElement {
  const tip = drawn('path', { d: 'M0 0L8 4L0 8Z', class: `tip ${kind}` });
  const attributes = { id: `tip-${kind}`, viewBox: '0 0 8 8', refX: 2, refY: 4, markerWidth: 7, markerHeight: 7 };
  return drawn('marker', { ...attributes, orient: 'auto-start-reverse' }, tip);
}

/** Draws a room: filled circles publish, arrows lead from who is heard to who hears, dashed ones are blocks. */
export function drawRoom(room: RoomState): SVGSVGElement {
  const { places, lines, left } = layOut(room);
  const at = new Map(places.map((place) => [place.user, place]));
  const count = (kind: Line['kind']) => lines.filter((line) => line.kind === kind).length;
  const words = `${room.users.length} users, ${room.publishers} publish, ${count('hears')} subscriptions heard, ${count('blocks')} blocks`;
  const svg = drawn('svg', { viewBox: `0 0 ${SIZE} ${SIZE}`, role: 'img', 'aria-label': `${room.room_id}: ${words}` });
  svg.append(drawn('defs', {}, marker('hears'), marker('silent'), marker('blocks')));
  for (const { from, to, kind } of lines) {
    const [start, end] = [at.get(from), at.get(to)];
    if (!start || !end) continue;
    const d = arrow(start, end, kind === 'blocks' ? 34 : 14);
    svg.append(drawn('path', { d, class: `edge ${kind}`, 'marker-end': `url(#tip-${kind})` }));
  }
  for (const { user, publisher, x, y } of places) {
    const below = y >= SIZE / 2 ? NODE + 18 : -NODE - 8;
    const name = user.length > NAME_LENGTH ? `${user.slice(0, NAME_LENGTH - 1)}…` : user;
    svg.append(
      drawn(
        'g',
        {},
        drawn('title', {}, user),
        drawn('circle', { cx: x, cy: y, r: NODE, class: publisher ? 'publisher' : 'listener' }),
      ),
      drawn('text', { x: Math.min(SIZE - 60, Math.max(60, x)), y: y + below, 'text-anchor': 'middle' }, name),
    );
  }
  if (left > 0) svg.append(drawn('text', { x: SIZE / 2, y: SIZE - 6, 'text-anchor': 'middle' }, `and ${left} more`));
  return svg;
}
