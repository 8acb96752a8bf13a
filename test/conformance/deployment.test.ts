/** What deploy/ holds: read strictly, and as far as there need be no container, done. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SETTINGS, variables } from '../../src/config/schema.js';
import { copyContext, copyOf, execForm, isKept, readDockerfile } from '../support/dockerfile.js';
import { projectRoot } from '../support/project.js';
import { readYaml } from '../support/yaml.js';

const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');
const root = mkdtempSync(path.join(os.tmpdir(), 'janus-sfu-deploy-'));
after(() => rmSync(root, { recursive: true, force: true }));

const STAGES = readDockerfile(read('deploy/docker/Dockerfile'));
const [DEPENDENCIES, BUILD, FINAL] = STAGES;
assert.ok(DEPENDENCIES && BUILD && FINAL);
/** What these tests were compiled into: `dist`, or another folder of its shape. */
const built = fileURLToPath(new URL('../../', import.meta.url));
/** A user that owns nothing, where the tests run as root; else they are no more than a user already. */
const STRANGER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const LIMIT = { timeout: 110_000 };

const instructions = (name: string) => FINAL.instructions.filter((one) => one.name === name).map(({ text }) => text);
const minutes = { s: 1, m: 60 } as const;
const seconds = (text: string) => {
  const [, number = '', unit = ''] = /^(\d+)([sm])$/.exec(text) ?? [];
  return Number(number) * minutes[unit as keyof typeof minutes];
};

function run(command: string, args: string[], cwd: string, env: Record<string, string> = {}): string {
  const options = { cwd, encoding: 'utf8' as const, timeout: 100_000, env: { ...process.env, ...env } };
  const { status, stdout, stderr } = spawnSync(command, args, options);
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

describe('the Dockerfile', () => {
  test('copies files that exist and that .dockerignore keeps, and only those are kept', () => {
    const ignore = read('.dockerignore');
    const copied = STAGES.flatMap(({ instructions: all }) => all.filter(({ name }) => name === 'COPY').map(copyOf));
    const sources = copied.filter(({ from }) => from === null).flatMap((copy) => copy.sources);
    for (const source of sources) {
      assert.ok(existsSync(path.join(projectRoot, source)), source);
      assert.ok(isKept(ignore, source), `${source} is kept from the build`);
    }
    const kept = ignore.split('\n').filter((line) => line.startsWith('!'));
    for (const line of kept) assert.ok(sources.includes(line.slice(1)), `${line} is copied nowhere`);
    for (const { from } of copied) assert.ok(from === null || STAGES.some(({ name }) => name === from), `${from}`);
    for (const secret of ['.env', 'data', '.git', 'node_modules', 'dist']) assert.ok(!isKept(ignore, secret), secret);
  });

  test('has a Node that the package allows, a user without rights, and a health check', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    for (const { image } of STAGES) assert.match(image, /^node:(2[0-9])-bookworm-slim$/);
    assert.equal(engines.node, '>=20.19');
    assert.deepEqual(instructions('USER'), ['node']);
    assert.match(instructions('HEALTHCHECK').join(), /--start-period=20s .*CMD \["node", "health\.mjs"\]/);
    assert.deepEqual(instructions('STOPSIGNAL'), ['SIGTERM']);
    const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> };
    assert.equal(execForm(instructions('ENTRYPOINT').join()).at(-1), bin['janus-sfu']);
    for (const variable of instructions('ENV')
      .join(' ')
      .matchAll(/(\w+)=/g)) {
      assert.ok(['NODE_ENV', ...variables()].includes(variable[1] ?? ''), variable[1]);
    }
    const exposed = instructions('EXPOSE').join(' ').split(' ');
    for (const setting of [SETTINGS.HTTP_PORT, SETTINGS.WS_PORT]) assert.ok(exposed.includes(setting.fallback));
    assert.ok(exposed.some((one) => one.startsWith(`${SETTINGS.RTP_PORT.fallback}-`) && one.endsWith('/udp')));
  });

  test('builds from what it copies, and nothing else', LIMIT, () => {
    const folder = path.join(root, 'build');
    copyContext(BUILD, projectRoot, folder);
    // In place of `npm ci`: this project's packages, each as a link, with the mark that they are those of the lock file.
    const modules = path.join(folder, 'node_modules');
    mkdirSync(modules);
    const own = path.join(projectRoot, 'node_modules');
    for (const name of readdirSync(own)) {
      if (!name.startsWith('.janus-sfu')) symlinkSync(path.join(own, name), path.join(modules, name));
    }
    const lock = createHash('sha256').update('package-lock.json').update('\0');
    lock.update(readFileSync(path.join(folder, 'package-lock.json'))).update('\0');
    writeFileSync(path.join(modules, '.janus-sfu-stamp'), `${lock.digest('hex')} ${process.platform}-${process.arch}`);
    const [command = ''] = BUILD.instructions.filter(({ name }) => name === 'RUN').map(({ text }) => text);
    const output = run('sh', ['-ec', command], folder);
    assert.doesNotMatch(output, /installing packages/);
    const made = readdirSync(path.join(folder, 'dist'));
    for (const name of ['src', 'workers', 'web', 'engine.wasm', 'bench']) assert.ok(made.includes(name), name);
    assert.ok(!made.includes('test'));
    assert.ok(existsSync(path.join(folder, 'dist/web/index.html')));
  });

  test(
    'makes an image that starts for a user who may write its data alone, is healthy, and drains',
    LIMIT,
    async () => {
      const app = path.join(root, 'image');
      const data = path.join(root, 'data');
      const temporary = path.join(root, 'tmp');
      chmodSync(root, 0o755);
      mkdirSync(temporary);
      chmodSync(temporary, 0o1777);
      // Stage "dependencies", as far as the registry can be reached; else this project's packages.
      const packages = path.join(root, 'dependencies');
      copyContext(DEPENDENCIES, projectRoot, packages);
      const installed = spawnSync('npm', ['ci', '--omit=dev', '--prefer-offline', '--fetch-retries=0'], {
        cwd: packages,
        timeout: 60_000,
        stdio: 'ignore',
      });
      mkdirSync(app);
      const modules =
        installed.status === 0 ? path.join(packages, 'node_modules') : path.join(projectRoot, 'node_modules');
      symlinkSync(modules, path.join(app, 'node_modules'));
      cpSync(built, path.join(app, 'dist'), { recursive: true });
      copyContext(FINAL, projectRoot, app);
      mkdirSync(data);
      if (STRANGER.uid !== undefined) run('chown', [`${STRANGER.uid}:${STRANGER.gid}`, data], root);

      const [node = '', ...entry] = execForm(instructions('ENTRYPOINT').join());
      const args = [...entry, ...execForm(instructions('CMD').join())];
      const httpPort = 20_000 + Math.floor(Math.random() * 10_000);
      const env = {
        PATH: process.env.PATH ?? '',
        NODE_ENV: 'production',
        LOG_FORMAT: 'json',
        DATA_DIR: data,
        TMPDIR: temporary,
        HTTP_PORT: String(httpPort),
        WS_PORT: '0',
        RTP_PORT: String(httpPort + 1),
        SFU_WORKERS: '1',
        DRAIN_TIMEOUT: '5',
      };
      const health = async () => {
        const [, ...script] = execForm(instructions('HEALTHCHECK').join());
        const probe = spawn(process.execPath, script, { cwd: app, env, ...STRANGER, stdio: 'ignore' });
        return (await once(probe, 'exit'))[0] as number;
      };
      assert.equal(node, 'node');
      assert.equal(await health(), 1, 'nobody is there yet');
      const server = spawn(process.execPath, args, { cwd: app, env, ...STRANGER, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      try {
        server.stderr.on('data', (chunk) => {
          output += chunk;
        });
        for await (const chunk of server.stdout) {
          output += chunk;
          if (output.includes('is ready')) break;
        }
        assert.match(output, /is ready/);
        assert.equal(await health(), 0, output);
        assert.doesNotMatch(output, /store can not be (opened|read)/);
        assert.ok(readdirSync(data).length > 0, 'the blocks are in the volume');
      } finally {
        const exited = once(server, 'exit');
        server.kill('SIGTERM');
        assert.equal((await exited)[0], 0, output);
      }
    },
  );
});

describe('compose.yaml', () => {
  type Service = Record<string, string | string[] | Record<string, string>>;
  const compose = readYaml(read('deploy/docker/compose.yaml')) as {
    services: Record<string, Service>;
    volumes: object;
  };
  const { sfu = {}, proxy = {}, turn = {} } = compose.services;
  const environment = sfu.environment as Record<string, string>;
  const relative = (file: string) => path.join(projectRoot, 'deploy/docker', file);

  test('names files, volumes and settings that exist', () => {
    const { context = '', dockerfile = '' } = sfu.build as Record<string, string>;
    assert.ok(existsSync(path.join(relative(context), dockerfile)));
    for (const { volumes = [] } of Object.values(compose.services)) {
      for (const volume of volumes as string[]) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) assert.ok(existsSync(relative(source)), source);
        else assert.ok(Object.hasOwn(compose.volumes, source), source);
      }
    }
    for (const name of Object.keys(environment)) assert.ok(Object.hasOwn(SETTINGS, name), name);
    const known = [...read('deploy/docker/.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    for (const [, name = ''] of read('deploy/docker/compose.yaml').matchAll(/\$\{(\w+)/g)) {
      assert.ok(known.includes(name), `${name} is not in .env.example`);
    }
  });

  test('restarts everything, waits for the drain, and gives the server no rights that it does not need', () => {
    for (const [name, { restart }] of Object.entries(compose.services)) assert.equal(restart, 'always', name);
    assert.ok(seconds(String(sfu.stop_grace_period)) >= Number(environment.DRAIN_TIMEOUT) + 10);
    assert.deepEqual([sfu.cap_drop, sfu.read_only], [['ALL'], 'true']);
    assert.deepEqual(sfu.tmpfs, ['/tmp:exec,size=128m']);
  });

  test('has the proxy and the TURN server where the server says that they are', () => {
    const caddyfile = read('deploy/caddy/Caddyfile');
    assert.match(caddyfile, /^\tlb_try_duration 5s$/m, 'clients wait while the server is started again');
    assert.equal(caddyfile.match(/import patient/g)?.length, 2);
    assert.ok(caddyfile.includes(`reverse_proxy 127.0.0.1:${SETTINGS.WS_PORT.fallback}`));
    assert.ok(caddyfile.includes(`reverse_proxy 127.0.0.1:${SETTINGS.HTTP_PORT.fallback}`));
    assert.equal((caddyfile.match(/\{\n/g) ?? []).length, (caddyfile.match(/^\t*\}$/gm) ?? []).length);
    assert.match(caddyfile, /handle \/signalling\*/);
    assert.match(environment.SIGNALLING_URL ?? '', /^wss:\/\/\$\{DOMAIN:.*\}\/signalling$/);
    assert.deepEqual(proxy.environment, { DOMAIN: '$' + '{DOMAIN}' });
    const command = turn.command as string[];
    const [port = ''] = command.filter((one) => one.startsWith('--listening-port=')).map((one) => one.split('=')[1]);
    for (const url of (environment.TURN_URLS ?? '').split(',')) assert.match(url, new RegExp(`^turn:.*:${port}\\?`));
    assert.ok(
      command.includes('--use-auth-secret') && command.some((one) => one.startsWith('--denied-peer-ip=0.0.0.0-')),
    );
    const [first = 0, last = 0] = ['min', 'max'].map((end) =>
      Number(command.find((one) => one.startsWith(`--${end}-port=`))?.split('=')[1]),
    );
    const media = Number(SETTINGS.RTP_PORT.fallback);
    assert.ok(last > first && (media < first || media > last), 'the relay leaves the media ports alone');
  });
});

describe('docs/deployment.md', () => {
  const page = read('docs/deployment.md');

  test('names settings and files that exist', () => {
    const other = ['GET', 'SIGTERM', 'NAT', 'TURN', 'TLS', 'HTTP', 'UDP', 'TCP', 'TOKEN', 'RENEWED_LINEAGE'];
    for (const [, name = ''] of page.matchAll(/(?:`|^ {4}|name: |-e )([A-Z][A-Z_]{2,})\b/gm)) {
      assert.ok(variables().includes(name) || other.includes(name), name);
    }
    for (const [file] of page.matchAll(/\bdeploy\/[\w./-]*\w/g))
      assert.ok(existsSync(path.join(projectRoot, file)), file);
    for (const [, link = ''] of page.matchAll(/\]\((\w+\.md)\)/g)) {
      assert.ok(existsSync(path.join(projectRoot, 'docs', link)), link);
    }
  });

  test('gives every supervisor as long as the drain and the goodbye take', () => {
    const [, drain = ''] = /- name: DRAIN_TIMEOUT\n\s+value: "(\d+)"/.exec(page) ?? [];
    const [, grace = ''] = /terminationGracePeriodSeconds: (\d+)/.exec(page) ?? [];
    assert.ok(Number(grace) >= Number(drain) + 10);
  });
});

describe('the systemd unit', () => {
  const file = path.join(projectRoot, 'deploy/systemd/janus-sfu.service');
  const unit = read('deploy/systemd/janus-sfu.service');
  const values = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);

  test('restarts, waits for a drain, and takes all rights away but that to compile', () => {
    assert.deepEqual(values('Restart'), ['always']);
    assert.deepEqual(values('RestartPreventExitStatus'), ['2']);
    assert.deepEqual(values('StartLimitIntervalSec'), ['0']);
    assert.ok(Number(values('TimeoutStopSec')[0]) >= 70);
    assert.deepEqual([...values('CapabilityBoundingSet'), ...values('AmbientCapabilities')], ['', '']);
    for (const one of ['NoNewPrivileges', 'PrivateTmp', 'DynamicUser']) assert.deepEqual(values(one), ['yes']);
    assert.deepEqual(values('ProtectSystem'), ['strict']);
    assert.deepEqual(values('MemoryDenyWriteExecute'), ['no']);
    for (const [, name = ''] of values('Environment')
      .join(' ')
      .matchAll(/(\w+)=/g)) {
      assert.ok(['NODE_ENV', ...variables()].includes(name), name);
    }
    assert.match(values('Environment').join(), new RegExp(`DATA_DIR=/var/lib/${values('StateDirectory')[0]}( |$)`));
    const [start = ''] = values('ExecStart');
    assert.match(start, /^\/usr\/bin\/node .*\/node_modules\/janus-sfu\/dist\/src\/main\.js start$/);
  });

  test('F5: waits before it starts the server again, longer each time, and never gives up', () => {
    const [pause = ''] = values('RestartSec');
    assert.ok(/^\d+ms$/.test(pause) && Number.parseInt(pause, 10) >= 200, pause);
    assert.deepEqual([...values('RestartSteps'), ...values('RestartMaxDelaySec')], ['8', '30']);
  });

  test('has a socket unit beside it that holds the ports of the settings, in the order that the server expects', () => {
    const socket = read('deploy/systemd/janus-sfu.socket');
    const ports = [...socket.matchAll(/^ListenStream=(\d+)$/gm)].map(([, port]) => port);
    assert.deepEqual(ports, [SETTINGS.WS_PORT.fallback, SETTINGS.HTTP_PORT.fallback]);
    assert.match(socket, /^Service=janus-sfu\.service$/m);
  });

  test('is understood by systemd, which finds little exposed, where it is installed', (context) => {
    const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    if (verified.error) return context.diagnostic('there is no systemd here: its own check was not made');
    const strange = verified.stderr.split('\n').filter((line) => line.includes('janus-sfu.service'));
    // Unknown before systemd 254; the unit says so. The paths of an installation are not there.
    const expected = /Unknown key 'Restart(Steps|MaxDelaySec)'|is not executable|No such file/;
    assert.deepEqual(
      strange.filter((line) => !expected.test(line)),
      [],
    );
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', file], { encoding: 'utf8' });
    const level = Number(/exposure level for janus-sfu\.service: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(level <= 2, `${level} of 10`);
  });
});
