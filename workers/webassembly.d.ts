/** The part of the WebAssembly JavaScript API that we use: it is a global in Node, but in TypeScript only with the DOM's types. */
declare namespace WebAssembly {
  type ExportValue = ((...args: number[]) => number) | Memory | WebAssembly.Global;
  type Imports = Record<string, Record<string, Memory>>;

  /** A trap. */
  class RuntimeError extends Error {}

  class Global {
    readonly value: number;
  }

  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string; kind: string }[];
    static exports(module: Module): { name: string; kind: string }[];
  }

  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }

  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Record<string, ExportValue>;
  }

  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: Imports): Promise<Instance>;
}
