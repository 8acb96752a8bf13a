/**
 * The set of unordered pairs of users who don't get each other's packets: open addressing, linear probing, and deletion
 * by shifting back, so that no tombstones pile up over a server's life.
 */
import { count } from './counters';
import {
  BLOCK_BUCKETS,
  BLOCK_PAIRS_MAX,
  BLOCKS_START,
  COUNTER_BLOCK_TABLE_FULL,
  COUNTER_BLOCKED_PAIRS,
} from './layout';

const MASK: u32 = BLOCK_BUCKETS - 1;
let pairs: i32 = 0;

/** Never 0 for two different users: an empty bucket is 0. */
function keyOf(userA: u32, userB: u32): u64 {
  return userA < userB ? ((<u64>userA) << 32) | userB : ((<u64>userB) << 32) | userA;
}

/** Spreads user numbers, which are handed out in order, over all buckets (a multiplication by 2^64 / golden ratio). */
function bucketOf(key: u64): u32 {
  return <u32>((key * 0x9e3779b97f4a7c15) >> 40) & MASK;
}

function keyAt(bucket: u32): u64 {
  return load<u64>(BLOCKS_START + (bucket << 3));
}

function setKeyAt(bucket: u32, key: u64): void {
  store<u64>(BLOCKS_START + (bucket << 3), key);
}

/** The bucket that holds the key, or the empty one where it would go. */
function search(key: u64): u32 {
  let bucket = bucketOf(key);
  for (let rest = BLOCK_BUCKETS; rest > 0; rest--) {
    const found = keyAt(bucket);
    if (found == key || found == 0) break;
    bucket = (bucket + 1) & MASK;
  }
  return bucket;
}

export function isBlocked(userA: u32, userB: u32): bool {
  if (pairs == 0 || userA == userB) return false;
  const key = keyOf(userA, userB);
  return keyAt(search(key)) == key;
}

/** @returns false if the set is full; nobody can be blocked from himself, which is no error */
export function setBlocked(userA: u32, userB: u32, blocked: bool): bool {
  if (userA == userB) return true;
  const key = keyOf(userA, userB);
  const bucket = search(key);
  if ((keyAt(bucket) == key) == blocked) return true;
  if (!blocked) {
    empty(bucket);
    pairs--;
    count(COUNTER_BLOCKED_PAIRS, -1);
    return true;
  }
  if (pairs >= BLOCK_PAIRS_MAX) {
    count(COUNTER_BLOCK_TABLE_FULL);
    return false;
  }
  setKeyAt(bucket, key);
  pairs++;
  count(COUNTER_BLOCKED_PAIRS);
  return true;
}

/** Empties a bucket and moves up those behind it that would no longer be found. */
function empty(bucket: u32): void {
  let hole = bucket;
  let next = bucket;
  for (let rest = BLOCK_BUCKETS; rest > 0; rest--) {
    next = (next + 1) & MASK;
    const key = keyAt(next);
    if (key == 0) break;
    // A key may move into the hole if its own bucket is not between the hole and where it is now.
    const distance = (next - bucketOf(key)) & MASK;
    if (distance >= ((next - hole) & MASK)) {
      setKeyAt(hole, key);
      hole = next;
    }
  }
  setKeyAt(hole, 0);
}
