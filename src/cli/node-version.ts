/** Whether this version of Node is new enough: 20.19. No other file may be needed to know it. */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

export const NODE_ADVICE = 'Install Node 20.19 or newer (https://nodejs.org).';
