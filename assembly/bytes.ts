/** Big-endian fields at any address: the byte order of the network. The caller has checked the bounds. */

export function readU16(address: usize): u32 {
  return bswap<u16>(load<u16>(address));
}

export function readU32(address: usize): u32 {
  return bswap<u32>(load<u32>(address));
}

export function writeU16(address: usize, value: u32): void {
  store<u16>(address, bswap<u16>(<u16>value));
}

export function writeU32(address: usize, value: u32): void {
  store<u32>(address, bswap<u32>(value));
}
