/**
 * Does a number of things, some at the same time.
 *
 * @param lanes how many at most
 * @returns the results, in the order of the things
 */
export async function inLanes<T>(count: number, lanes: number, work: (index: number) => Promise<T> | T): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) results[index] = await work(index);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
