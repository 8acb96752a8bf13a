/** A promise and the functions that settle it; settling it again does nothing. */
export interface Deferred<Value> {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: Error) => void;
}

export function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<Value>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}

/** Rejects with the error that the promise brings: for a race between work and the loss of what it works on. */
export function raise(error: Promise<Error>): Promise<never> {
  const raised = error.then((reason) => Promise.reject(reason));
  // The race may be over: nobody listens any more.
  raised.catch(() => {});
  return raised;
}
