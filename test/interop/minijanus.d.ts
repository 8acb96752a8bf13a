/** The part of minijanus 0.6 that the test uses (the package has no types of its own). */
declare module 'minijanus/minijanus.js' {
  export interface Signal {
    janus: string;
    transaction?: string;
    session_id?: number;
    sender?: number;
    data?: { id: number };
    plugindata?: { plugin: string; data: Record<string, unknown> };
    jsep?: { type: string; sdp: string };
    reason?: string;
    candidate?: { candidate?: string };
  }

  export class JanusSession {
    constructor(output: (text: string) => void, options?: { timeoutMs?: number; keepaliveMs?: number });
    id: number | undefined;
    create(): Promise<Signal>;
    send(type: string, signal?: object): Promise<Signal>;
    destroy(): Promise<Signal>;
    dispose(): void;
    receive(signal: Signal): void;
    on(event: string, callback: (signal: Signal) => void): void;
  }

  export class JanusPluginHandle {
    constructor(session: JanusSession);
    id: number | undefined;
    attach(plugin: string): Promise<Signal>;
    detach(): Promise<Signal>;
    send(type: string, signal?: object): Promise<Signal>;
    on(event: string, callback: (signal: Signal) => void): void;
    sendMessage(body: Record<string, unknown>): Promise<Signal>;
    sendJsep(jsep: { type: string; sdp: string }): Promise<Signal>;
    sendTrickle(candidate: Record<string, unknown> | null): Promise<Signal>;
  }
}
