/** Who is in which room, and who hears whom. Pure. */

export interface Shape {
  rooms: number;
  /** Users of each room that send. */
  users: number;
  /** Users of each room that only hear: each of them hears every sender. */
  listeners: number;
  /** How many of the others each sender hears; all of them unless told. */
  hears?: number;
}

/** A user that sends. */
export interface Place {
  room: string;
  user: string;
}

/** One user's subscription to a sender, which is named by its index. */
export interface Subscription extends Place {
  source: number;
}

/**
 * Subscriptions that are made one after the other are of different users, as where people come one by one.
 * @param room what the names of rooms and users begin with: other loads on the same server have others
 */
export function places(
  { rooms, users, listeners, hears = users - 1 }: Shape,
  room: string,
): { senders: Place[]; subscriptions: Subscription[] } {
  const userOf = (sender: number) => `${room}-user-${sender}`;
  const senders: Place[] = [];
  const subscriptions: Subscription[] = [];
  for (let number = 0; number < rooms; number += 1) {
    const name = `${room}-${number}`;
    const first = number * users;
    for (let index = 0; index < users; index += 1) senders.push({ room: name, user: userOf(first + index) });
    for (let source = 0; source < users; source += 1) {
      for (let step = 1; step <= hears; step += 1) {
        const user = userOf(first + ((source + step) % users));
        subscriptions.push({ room: name, user, source: first + source });
      }
      for (let listener = 0; listener < listeners; listener += 1) {
        subscriptions.push({ room: name, user: `${room}-listener-${number}-${listener}`, source: first + source });
      }
    }
  }
  return { senders, subscriptions };
}

/** `publishers` with so many subscriptions to each: fewer than publishers, all in one room; else a room for each publisher. */
export function shapeOf(publishers: number, subscribers: number): Shape {
  if (subscribers < publishers) return { rooms: 1, users: publishers, listeners: 0, hears: subscribers };
  return { rooms: publishers, users: 1, listeners: subscribers };
}
