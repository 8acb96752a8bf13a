/** A request that the plugin refuses: `success: false`, with a text for people. Nothing has changed by it. */
export class Refusal extends Error {}
