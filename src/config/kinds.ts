import { isIP } from 'node:net';
import { z } from 'zod';
import { LEVELS_BY_NUMBER, type LogLevel } from '../observability/levels.js';

/** What values a setting takes: how they are written, and what they are read as. */
export interface Kind<T> {
  /** In a word or two: `port`, `seconds`. */
  name: string;
  /** From text to the value; its description says what the text should be. */
  schema: z.ZodType<T, string>;
  /** Of the text, where the kind has one. */
  unit?: string;
}

/** The largest number that a limit without a natural end takes. */
export const MAX = 1_000_000_000;

/** A whole number. */
export function whole(min: number, max: number, unit?: string): Kind<number> {
  const schema = z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max)
    .describe(`a whole number from ${min} to ${max}`);
  return { name: 'whole number', schema, ...(unit === undefined ? {} : { unit }) };
}

/** Seconds, fractions allowed; read as milliseconds. */
export function seconds(min: number, max: number): Kind<number> {
  const schema = z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform((value) => Math.round(Number(value) * 1000))
    .refine((value) => value >= min * 1000 && value <= max * 1000)
    .describe(`a number of seconds from ${min} to ${max}`);
  return { name: 'number', schema, unit: 's' };
}

export const flag: Kind<boolean> = {
  name: 'true or false',
  schema: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no']))
    .transform((value) => value === 'true' || value === '1' || value === 'yes')
    .describe('true or false'),
};

/** One of a few words, in any case. */
export function word<const T extends readonly [string, ...string[]]>(words: T): Kind<T[number]> {
  const schema = z
    .string()
    .toLowerCase()
    .pipe(z.enum(words))
    .describe(`one of ${words.join(', ')}`);
  return { name: 'word', schema: schema as z.ZodType<T[number], string> };
}

export const logLevel: Kind<LogLevel> = {
  name: 'word',
  schema: z
    .string()
    .toLowerCase()
    .transform((value) => (/^[0-7]$/.test(value) ? (LEVELS_BY_NUMBER[Number(value)] ?? value) : value))
    .pipe(z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']))
    .describe('one of fatal, error, warn, info, debug, silent, or a level of Janus, 0 to 7'),
};

const parts = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** Texts, separated by commas. */
export const list: Kind<string[]> = { name: 'list', schema: parts.describe('a list, separated by commas') };

export const addresses: Kind<string[]> = {
  name: 'list',
  schema: parts.refine((all) => all.every((part) => isIP(part) !== 0)).describe('IP addresses, separated by commas'),
};

const NETWORK = /^([^/]+)(?:\/(\d{1,3}))?$/;

/** Addresses, and networks as `10.0.0.0/8`. */
export const networks: Kind<string[]> = {
  name: 'list',
  schema: parts
    .refine((all) =>
      all.every((part) => {
        const [, address = '', prefix = '0'] = NETWORK.exec(part) ?? [];
        const family = isIP(address);
        return family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128);
      }),
    )
    .describe('IP addresses or networks such as 10.0.0.0/8, separated by commas'),
};

const CODECS = ['h264', 'vp8', 'vp9', 'av1'] as const;

export const codecs: Kind<(typeof CODECS)[number][]> = {
  name: 'list',
  schema: parts
    .transform((all) => all.map((part) => part.toLowerCase()))
    .pipe(z.array(z.enum(CODECS)).min(1))
    .refine((all) => new Set(all).size === all.length)
    .describe('h264, vp8, vp9, av1 or some of them, separated by commas, best first'),
};

export const text: Kind<string> = { name: 'text', schema: z.string().describe('text') };
export const file: Kind<string> = { name: 'file', schema: z.string().describe('the path of a file') };
export const folder: Kind<string> = { name: 'folder', schema: z.string().describe('the path of a folder') };

/**
 * Addresses of ICE servers (RFC 7064, RFC 7065), separated by commas.
 *
 * @param scheme `stun` or `turn`; each has a form with TLS, with an `s` at its end
 */
export function iceUrls(scheme: 'stun' | 'turn'): Kind<string[]> {
  const query = scheme === 'turn' ? String.raw`(\?transport=(udp|tcp))?` : '';
  const form = new RegExp(String.raw`^${scheme}s?:(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?${query}$`, 'i');
  const example = scheme === 'turn' ? 'turn:turn.example.org:3478?transport=udp' : 'stun:stun.example.org:3478';
  const schema = parts
    .refine((all) => all.length <= 20 && all.every((part) => form.test(part)))
    .describe(`addresses such as ${example}, separated by commas`);
  return { name: 'list', schema };
}

/** The address of a WebSocket. */
export const webSocketUrl: Kind<string> = {
  name: 'URL',
  schema: z
    .string()
    .regex(/^wss?:\/\/[\w.:[\]-]+(\/[\w./~%-]*)?$/i)
    .refine((value) => URL.canParse(value))
    .describe('an address such as wss://example.org/signalling'),
};

/** An address to POST to. Without a user's name: nothing that sends to it would use that. */
export const webhookUrl: Kind<string> = {
  name: 'URL',
  schema: z
    .string()
    .refine((value) => {
      const url = URL.canParse(value) ? new URL(value) : null;
      return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    })
    .describe('an address such as https://example.org/events'),
};

/** A key for signatures: text, or what Standard Webhooks writes for bytes. */
export const webhookSecret: Kind<string> = {
  name: 'text',
  schema: z
    .string()
    .refine((value) => {
      const [, encoded] = /^whsec_(.*)$/s.exec(value) ?? [];
      if (encoded === undefined) return true;
      return /^[A-Za-z\d+/]+={0,2}$/.test(encoded) && Buffer.from(encoded, 'base64').length >= 16;
    })
    .describe('text, or whsec_ and the base64 of at least 16 bytes'),
};

/** Text of a limited length. */
export function shortText(max: number): Kind<string> {
  return { name: 'text', schema: z.string().max(max).describe(`at most ${max} characters`) };
}

export const host: Kind<string> = {
  name: 'address',
  schema: z
    .string()
    .refine((value) => isIP(value) !== 0 || /^[\w.-]+$/.test(value))
    .describe('an address or host name to listen on'),
};

export const port: Kind<number> = { ...whole(0, 65535), name: 'port' };

/** Servers of NATS, each with a name and password if it wants them. */
export const natsUrls: Kind<string[]> = {
  name: 'list',
  schema: parts
    .refine((all) => all.every((part) => /^(nats|tls):\/\/[^\s/]+$/.test(part) && URL.canParse(part)))
    .describe('addresses such as nats://nats.example.org:4222, separated by commas'),
};

/** What names in NATS may begin with. */
export const clusterName: Kind<string> = {
  name: 'text',
  schema: z
    .string()
    .regex(/^[\w-]{1,32}$/)
    .describe('up to 32 letters, digits, - and _'),
};

/** A host, with a port or not. */
export const hostAndPort: Kind<string> = {
  name: 'address',
  schema: z
    .string()
    .regex(/^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i)
    .describe('a host or address (IPv6 in brackets), and perhaps a port'),
};
