/** A relay and a load generator for as long as something is measured with them; both end whatever happens. */
import type { Contender } from '../contenders.js';
import { GeneratorProcess } from '../load/generator-process.js';

export async function withContender<T>(
  start: () => Promise<Contender>,
  use: (one: Contender) => Promise<T>,
): Promise<T> {
  const contender = await start();
  try {
    return await use(contender);
  } finally {
    await contender.stop();
  }
}

export async function withGenerator<T>(
  { target }: Pick<Contender, 'target'>,
  use: (generator: GeneratorProcess) => Promise<T>,
): Promise<T> {
  const generator = new GeneratorProcess();
  try {
    await generator.connect(target);
    const result = await use(generator);
    await generator.stop();
    return result;
  } finally {
    generator.kill();
  }
}
