/**
 * The recorder of the reference server's transcripts (../shared/oracle beside the repository), in a temporary copy: with
 * the deviations in its own format, and with patience for what our server or the network takes its time for.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { projectRoot } from './project.js';

export const oracleFolder = path.join(projectRoot, '../shared/oracle');

/** test/conformance/deviations.json: each difference with its reason, and where the recordings show it. */
interface Deviations {
  differences: { id: string; point: string; ours: string }[];
  /** SDP attributes that are not compared, each with the difference that is the reason. */
  attributes: Record<string, string>;
  /** Scenarios that are held against the recording of another one. */
  recordings: Record<string, string>;
  scenarios: Record<string, { where: string; differences: string[] }[]>;
}

/** The place of what is compared over a whole scenario (see UNTIMED), where others have a step. */
const NETWORK = 'events of the network';

interface Scenario {
  profile?: string;
  /** Patterns of what the scenario does not look at. */
  optional?: Told[];
  steps: { do: string; timeout?: number; base?: string }[];
}

/** An event as the recordings and the recorder's own notes have it. */
interface Told {
  janus?: string;
  type?: string;
  receiving?: boolean;
}

interface Recording {
  steps: { got?: Record<string, Told[]>; result?: { $timeout?: boolean } }[];
}

export interface Addresses {
  ws: string;
  http: string;
  admin?: string;
}

/**
 * Events of the network, which come when they come: which step such an event falls into is a matter of milliseconds of
 * DTLS, or of the second in which a silence is noticed. So not the step is compared but how many came to each client.
 */
const UNTIMED = ['webrtcup', 'media'];

/** Milliseconds: a subscription waits for its publisher longer than the recorder does for a reply. */
const REPLY_LIMIT = 15_000;

const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;

export class Replay {
  readonly folder: string;
  readonly #scenarios = new Map<string, Scenario>();
  /** Scenarios in which the events of the network are meant to differ. */
  readonly #deviating = new Set<string>();
  /** What each scenario's clients must be told at some time: `client webrtcup` and so on, sorted. */
  readonly #untimed = new Map<string, { ignored: Told[]; expected: string[] }>();

  constructor() {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-oracle-'));
    cpSync(oracleFolder, this.folder, { recursive: true });
    symlinkSync(path.join(projectRoot, 'node_modules'), path.join(this.folder, 'node_modules'), 'dir');
    const deviations = readJson<Deviations>(path.join(projectRoot, 'test/conformance/deviations.json'));
    this.#overlook(Object.keys(deviations.attributes));
    for (const [name, other] of Object.entries(deviations.recordings)) {
      cpSync(this.#file('golden', other), this.#file('golden', name));
      deviations.scenarios[name] = deviations.scenarios[other] ?? [];
    }
    for (const entry of readdirSync(path.join(this.folder, 'scenarios'))) this.#adapt(path.basename(entry, '.json'));
    const reasons = new Map(deviations.differences.map(({ id, point, ours }) => [id, `${point}: ${ours}`]));
    const format = Object.entries(deviations.scenarios).map(([name, lines]) => {
      if (lines.some(({ where }) => where === NETWORK)) this.#deviating.add(name);
      const steps = lines.filter(({ where }) => where !== NETWORK);
      return [name, steps.map(({ where, differences }) => ({ where, why: differences.map((id) => reasons.get(id)) }))];
    });
    writeFileSync(path.join(this.folder, 'deviations.json'), JSON.stringify(Object.fromEntries(format)));
  }

  /** The profiles that the scenarios are for, with their scenarios' names. */
  get profiles(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const [name, { profile = 'base' }] of this.#scenarios) {
      found.set(profile, [...(found.get(profile) ?? []), name]);
    }
    return found;
  }

  /** Scenarios that ask the Admin API, which tells of all sessions: they must be alone on the server. */
  get lonely(): string[] {
    const asksAdmin = ({ steps }: Scenario) => steps.some(({ base }) => base === 'admin');
    return [...this.#scenarios].flatMap(([name, scenario]) => (asksAdmin(scenario) ? [name] : []));
  }

  /** Makes the key pair of the scenarios with tokens. */
  async makeKeys(): Promise<void> {
    const { code, output } = await this.#run(['keys.mjs']);
    if (code !== 0) throw new Error(`the recorder's keys could not be made: ${output}`);
  }

  /**
   * Replays scenarios one after the other.
   *
   * @returns what differs, a text for each scenario
   */
  async check(names: string[], servers: Record<string, Addresses>): Promise<string[]> {
    const profiles = `ours-${names[0]}.json`;
    writeFileSync(path.join(this.folder, profiles), JSON.stringify(servers));
    const options = ['--check', 'golden', '--profiles', profiles, '--deviations', 'deviations.json', '--verbose'];
    const files = names.map((name) => path.join('scenarios', `${name}.json`));
    const { code, output } = await this.#run(['replay.mjs', ...options, ...files]);
    const outcomes = readOutcomes(output);
    const problems = names.flatMap((name) => {
      const outcome = outcomes.get(name);
      if (!outcome) return [`${name}: the recorder did not come to it: ${output.slice(-2000)}`];
      return outcome.failure === null ? this.#missed(name, outcome.traffic) : [outcome.failure];
    });
    if (problems.length === 0 && code !== 0) problems.push(`the recorder failed: ${output.slice(-2000)}`);
    return problems;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Adds to the SDP attributes that the recorder does not compare. */
  #overlook(attributes: string[]): void {
    const file = path.join(this.folder, 'replay.mjs');
    const recorder = readFileSync(file, 'utf8');
    const list = '/^a=(candidate|end-of-candidates|';
    if (!recorder.includes(list)) throw new Error(`the recorder has no list of attributes ${list} any more`);
    writeFileSync(file, recorder.replace(list, list + attributes.map((name) => `${name}:|`).join('')));
  }

  #file(folder: 'golden' | 'scenarios', name: string): string {
    return path.join(this.folder, folder, `${name}.json`);
  }

  /** Takes the untimed events out of the steps, unless the scenario does not look at them anyway. */
  #adapt(name: string): void {
    const file = this.#file('scenarios', name);
    const scenario = readJson<Scenario>(file);
    const ignored = scenario.optional ?? [];
    scenario.optional = [...ignored, ...UNTIMED.map((janus) => ({ janus }))];
    const golden = readJson<Recording>(this.#file('golden', name)).steps;
    for (const [index, step] of scenario.steps.entries()) {
      if (step.do === 'req' && !golden[index]?.result?.$timeout) step.timeout = REPLY_LIMIT;
    }
    writeFileSync(file, JSON.stringify(scenario));
    const got = golden.map((step) => Object.entries(step.got ?? {}));
    const expected = got.flat().flatMap(([client, events]) => events.map((event) => [client, event] as const));
    this.#scenarios.set(name, scenario);
    this.#untimed.set(name, { ignored, expected: untimed(ignored, expected) });
  }

  #missed(name: string, notes: string): string[] {
    const { ignored, expected } = this.#untimed.get(name) ?? { ignored: [], expected: [] };
    const seen = [...notes.matchAll(/^ {3}< (\S+) (\{"janus":"(?:webrtcup|media)".*\})$/gm)];
    const got = untimed(
      ignored,
      seen.map(([, client = '', json = '']) => [client, JSON.parse(json) as Told]),
    );
    const differs = got.join() !== expected.join();
    if (differs === this.#deviating.has(name)) return [];
    return [
      `${name}: ${NETWORK}, meant to differ: ${!differs}\n    want ${expected.join(', ')}\n    have ${got.join(', ')}`,
    ];
  }

  #run(args: string[]): Promise<{ code: number | null; output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      const read = (chunk: Buffer) => {
        output += chunk.toString();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, output }));
    });
  }
}

/** What the recorder wrote: each scenario's traffic, then its verdict, and below that what differed. */
function readOutcomes(output: string): Map<string, { failure: string | null; traffic: string }> {
  const outcomes = new Map<string, { failure: string | null; traffic: string }>();
  let traffic: string[] = [];
  let failure: string[] = [];
  for (const line of output.split('\n')) {
    const [, verdict, name = ''] = /^(ok {3}|FAIL |skip )(\S+)/.exec(line) ?? [];
    if (verdict !== undefined) {
      failure = [line];
      outcomes.set(name, { failure: verdict === 'ok   ' ? null : line, traffic: traffic.join('\n') });
      traffic = [];
    } else if (/^ {2}#| {3}< /.test(line)) traffic.push(line);
    else if (failure[0]?.startsWith('FAIL')) {
      failure.push(line);
      const failed = failure[0].slice('FAIL '.length);
      outcomes.set(failed, { failure: failure.join('\n'), traffic: '' });
    }
  }
  return outcomes;
}

/** The events of the network that a scenario looks at, without their times: `client webrtcup`, `client audio false`. */
function untimed(ignored: Told[], events: (readonly [string, Told])[]): string[] {
  return events
    .filter(([, { janus = '' }]) => UNTIMED.includes(janus))
    .filter(([, event]) => !ignored.some((pattern) => isLike(event, pattern)))
    .map(([client, { janus, type, receiving }]) =>
      janus === 'media' ? `${client} ${type} ${receiving}` : `${client} ${janus}`,
    )
    .sort();
}

function isLike(event: Told, { janus, type, receiving }: Told): boolean {
  return (
    event.janus === janus &&
    (type === undefined || event.type === type) &&
    (receiving === undefined || event.receiving === receiving)
  );
}
