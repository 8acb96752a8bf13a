import os from 'node:os';

/** What of the machine settings are held against. */
export interface Machine {
  cores: number;
  /** Addresses by interface, IPv4 before IPv6. */
  interfaces: ReadonlyMap<string, readonly string[]>;
}

export function thisMachine(): Machine {
  const interfaces = Object.entries(os.networkInterfaces()).map(([name, addresses = []]) => {
    const four = addresses.filter(({ family }) => family === 'IPv4');
    const six = addresses.filter(({ family }) => family === 'IPv6');
    return [name, [...four, ...six].map(({ address }) => address)] as const;
  });
  return { cores: os.availableParallelism(), interfaces: new Map(interfaces) };
}

/**
 * The own addresses that NETWORK_INTERFACE lets be announced; null = all.
 *
 * @param wanted names of interfaces, or beginnings of addresses, as Janus' `ice_enforce_list`
 */
export function enforcedAddresses(wanted: readonly string[], { interfaces }: Machine): string[] | null {
  if (wanted.length === 0) return null;
  return [...interfaces].flatMap(([name, addresses]) =>
    addresses.filter((address) => wanted.some((one) => one === name || address.startsWith(one))),
  );
}
