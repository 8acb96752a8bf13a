import { byId, fillTerms } from '../shared/dom.js';
import type { AdminApi, ClusterNode, ClusterState, Loop, RoomState, ServerInfo } from './admin-api.js';
import { confirmed, showStreams } from './dialogs.js';
import { NodesPanel } from './nodes-panel.js';
import { Plot } from './plot.js';
import { dropTotals, type Rates, type Reading, ratesOf, shortNumber } from './rates.js';
import { RoomsPanel } from './rooms-panel.js';
import { Table } from './table.js';

const INTERVAL_MS = 1_000;
/** A server of many rooms has long answers: it is asked for so many times less than it takes to answer. */
const ANSWER_SHARE = 10;
/** But not so seldom that a moment's trouble is shown for long after. */
const LONGEST_PAUSE_MS = 10_000;

interface Drop {
  reason: string;
  count: number;
  rate: number;
}

export interface BoardParts {
  api: AdminApi;
  /** An answer has come. */
  onAnswer: () => void;
  /** No answer, or a refusal. */
  onProblem: (problem: Error) => void;
}

/** All that is shown, asked for anew each second while somebody looks. */
export class Board {
  readonly #parts: BoardParts;
  readonly #nodes: NodesPanel;
  readonly #workers: Table<Loop>;
  readonly #drops: Table<Drop>;
  readonly #plots: { plot: Plot; values: (rates: Rates) => number[] }[];
  readonly #drain = byId('drain', HTMLButtonElement);
  #rooms: RoomsPanel | null = null;
  /** Whether the server is one of many; asked once. */
  #clustered: boolean | null = null;
  #before: Reading | null = null;
  #accepting = true;
  #stopped = false;

  constructor(parts: BoardParts) {
    this.#parts = parts;
    this.#nodes = new NodesPanel({ onDrain: (node) => void this.#drainNode(node) });
    this.#workers = workersTable();
    this.#drops = dropsTable();
    this.#plots = plots();
    byId('plots', HTMLElement).replaceChildren(...this.#plots.map(({ plot }) => plot.root));
    this.#drain.onclick = () => void this.#toggleDrain();
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const asked = performance.now();
      if (!document.hidden) await this.#refresh();
      const share = ANSWER_SHARE * (performance.now() - asked);
      const pause = Math.min(LONGEST_PAUSE_MS, Math.max(INTERVAL_MS, share));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #refresh(): Promise<void> {
    const { api, onAnswer, onProblem } = this.#parts;
    try {
      const [loops, rooms, info, sessions, cluster] = await Promise.all([
        api.loops(),
        api.rooms(),
        api.info(),
        api.sessions(),
        this.#clustered === false ? null : api.cluster(),
      ]);
      if (this.#stopped) return;
      this.#clustered = cluster !== null;
      onAnswer();
      if (cluster) this.#nodes.update(cluster);
      this.#show({ at: performance.now(), loops }, rooms, info, sessions);
      this.#sayWhatIsTaken(cluster);
    } catch (error) {
      if (!this.#stopped) onProblem(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #show(reading: Reading, rooms: RoomState[], info: ServerInfo, sessions: number): void {
    const rates = this.#before ? ratesOf(this.#before, reading) : null;
    this.#before = reading;
    this.#accepting = info['accepting-new-sessions'];
    byId('server', HTMLElement).textContent = `${info['server-name']} ${info.version_string}`;
    const { loops } = reading;
    const total = (count: (loop: Loop) => number) => loops.reduce((sum, loop) => sum + count(loop), 0);
    const users = new Set(rooms.flatMap((room) => room.users.map(({ user_id }) => user_id)));
    fillTerms(byId('totals', HTMLElement), [
      ['Rooms', String(rooms.length)],
      ['Users', String(users.size)],
      ['Sessions', String(sessions)],
      ['PeerConnections', String(total(({ handles }) => handles))],
      ['Packets in', rates ? `${shortNumber(rates.packetsIn)}/s` : '–'],
      ['Packets out', rates ? `${shortNumber(rates.packetsOut)}/s` : '–'],
      ['Workers', `${loops.filter(({ running }) => running).length} of ${loops.length} run`],
    ]);
    this.#workers.update(loops);
    const drops = [...dropTotals(loops)].map(([reason, count]) => ({
      reason,
      count,
      rate: rates?.dropsByReason.get(reason) ?? 0,
    }));
    this.#drops.update(drops.sort((a, b) => b.count - a.count));
    if (rates) for (const { plot, values } of this.#plots) plot.push(reading.at, values(rates));
    this.#rooms ??= this.#newRooms();
    this.#rooms.update(rooms);
  }

  #newRooms(): RoomsPanel {
    const { api } = this.#parts;
    return new RoomsPanel({
      nodes: this.#clustered ?? false,
      onKick: (room, user) => void this.#kick(room, user),
      onDetails: ({ user_id, handles }) => void showStreams(user_id, handles, (...ids) => api.handle(...ids)),
    });
  }

  #sayWhatIsTaken(cluster: ClusterState | null): void {
    const own = cluster?.nodes.find(({ self }) => self)?.name;
    const accepting = this.#accepting
      ? 'New sessions are taken.'
      : 'Draining: no new sessions are taken, those that are there go on.';
    const words = cluster ? `Packets, plots and workers are those of this node${own ? `, ${own}` : ''}.` : accepting;
    const said = byId('accepting', HTMLElement);
    if (said.textContent !== words) said.textContent = words;
    this.#drain.hidden = cluster !== null;
    this.#drain.textContent = this.#accepting ? 'Drain' : 'Take new sessions again';
  }

  async #kick(room: string, user: string): Promise<void> {
    const words = `All of ${user}’s connections in this room end now. A user who may join can come back.`;
    if (!(await confirmed(`Kick ${user} from ${room}?`, words, 'Kick'))) return;
    await this.#act(() => this.#parts.api.kick(room, user));
  }

  async #drainNode({ id, name, draining }: ClusterNode): Promise<void> {
    const words =
      'It takes no new rooms from now on. Those that it has go on, and who joins them still comes there. When it has none ' +
      'left, it can be restarted and nobody notices. It can be taken back.';
    if (!draining && !(await confirmed(`Drain ${name}?`, words, 'Drain'))) return;
    await this.#act(() => this.#parts.api.drainNode(id, !draining));
  }

  async #toggleDrain(): Promise<void> {
    const accept = !this.#accepting;
    const words =
      'Nobody new gets in from now on, and everybody who is there goes on. When the rooms are empty, the server can be ' +
      'restarted and nobody notices. It can be taken back.';
    if (!accept && !(await confirmed('Drain the server?', words, 'Drain'))) return;
    await this.#act(() => this.#parts.api.acceptSessions(accept));
  }

  async #act(action: () => Promise<void>): Promise<void> {
    try {
      await action();
      await this.#refresh();
    } catch (error) {
      this.#parts.onProblem(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

function workersTable(): Table<Loop> {
  const figure = (title: string, value: (loop: Loop) => string) => ({ title, value, figures: true });
  return new Table<Loop>(
    byId('workers', HTMLElement),
    'Media workers',
    [
      { title: 'Worker', value: ({ id, running }) => (running ? String(id) : `${id} (not running)`) },
      figure('PeerConnections', ({ handles }) => String(handles)),
      figure('Tracks in', (loop) => String(loop['up-tracks'])),
      figure('Tracks out', (loop) => String(loop['down-tracks'])),
      figure('Packets in', (loop) => shortNumber(loop['packets-received'])),
      figure('Packets out', (loop) => shortNumber(loop['packets-sent'])),
      figure('Not sent', (loop) => shortNumber(loop['packets-unsent'])),
      figure('Loop delay', (loop) => `${(loop['loop-delay'] / 1000).toFixed(1)} ms`),
      figure('Faults', ({ faults }) => String(faults)),
    ],
    ({ id }) => String(id),
  );
}

function dropsTable(): Table<Drop> {
  return new Table<Drop>(
    byId('drops', HTMLElement),
    'Packets dropped, by reason',
    [
      { title: 'Reason', value: ({ reason }) => reason.replaceAll('-', ' ') },
      { title: 'Packets', value: ({ count }) => String(count), figures: true },
      { title: 'Per second', value: ({ rate }) => shortNumber(rate), figures: true },
    ],
    ({ reason }) => reason,
  );
}

function plots() {
  const plot = (title: string, unit: string, lines: string[], values: (rates: Rates) => number[]) => ({
    plot: new Plot({ title, unit, lines }),
    values,
  });
  return [
    plot('Packets', '/s', ['in', 'out'], ({ packetsIn, packetsOut }) => [packetsIn, packetsOut]),
    plot('Media', 'bit/s', ['in', 'out'], ({ bitsIn, bitsOut }) => [bitsIn, bitsOut]),
    plot('Drops', '/s', [''], ({ drops }) => [drops]),
    plot('Loop delay', 'ms', ['longest'], ({ loopDelay }) => [loopDelay]),
  ];
}
