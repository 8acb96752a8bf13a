/**
 * Where everything lies in a shard's shared memory, and the numbers that cross the border between Wasm and JavaScript.
 * asc and tsc both compile this file, so the layout is written once: only `export const NAME = <integer arithmetic>`.
 * Sizes are in bytes unless the name says otherwise. Change anything and count LAYOUT_VERSION up.
 */

export const LAYOUT_VERSION = 10;

// --- Verdicts: what becomes of a packet ---------------------------------------------------------------------------

/** The packet goes on. */
export const FORWARD = 0;
/** Shorter than the fixed RTP header (RFC 3550 5.1). */
export const DROP_TOO_SHORT = 1;
/** Longer than PACKET_CAPACITY. */
export const DROP_TOO_LARGE = 2;
/** Not RTP version 2. */
export const DROP_VERSION = 3;
/** The CSRC list ends past the packet's end. */
export const DROP_CSRC = 4;
/** The header extension ends past the packet's end. */
export const DROP_EXTENSION = 5;
/** The padding count is 0 or more than the payload. */
export const DROP_PADDING = 6;
/** No negotiated track has this payload type. */
export const DROP_UNKNOWN_PAYLOAD_TYPE = 7;
/** Of a retransmission stream (RFC 4588), with no packet in it: padding that probes the path, or of no known source. */
export const DROP_RTX = 8;
/** A second SSRC beside the one that is sending; it may be adopted with its next packet. */
export const DROP_UNKNOWN_SSRC = 9;
/** A sequence number far from all others (RFC 3550 A.1); the source may be taken to have restarted with its next packet. */
export const DROP_SEQUENCE_JUMP = 10;
/** This very packet came before. */
export const DROP_DUPLICATE = 11;
/** Older than the history, or from before the point where the subscriber's stream (re)started. */
export const DROP_LATE = 12;
/** No slot left for it: the memory is at its maximum. */
export const DROP_NO_MEMORY = 13;
/** Its publisher has not joined a room. */
export const DROP_NOT_JOINED = 14;
/** The down track doesn't exist or belongs to another up track. */
export const DROP_NOT_SUBSCRIBED = 15;
/** The subscriber is not connected or has refused this kind. */
export const DROP_INACTIVE = 16;
/** One of the two users blocks the other. */
export const DROP_BLOCKED = 17;
/** Video can't start but with a keyframe. */
export const DROP_WAITING_FOR_KEYFRAME = 18;
/** Video that the subscriber's line can't carry beside audio. */
export const DROP_PAUSED = 19;
/** Video that is left out because the shard can't keep up. */
export const DROP_SHED = 20;
export const VERDICTS = 21;

// --- Kinds, codecs, header extensions -----------------------------------------------------------------------------

export const KIND_AUDIO = 0;
export const KIND_VIDEO = 1;

export const CODEC_OPUS = 0;
export const CODEC_H264 = 1;
export const CODEC_VP8 = 2;
export const CODEC_VP9 = 3;
export const CODEC_AV1 = 4;

/** The header extensions that pass the relay (RFC 8285); all others end at it, `mid` and transport-cc too. */
export const EXTENSION_AUDIO_LEVEL = 0;
export const EXTENSION_ABS_SEND_TIME = 1;
export const EXTENSION_VIDEO_ORIENTATION = 2;
export const EXTENSION_PLAYOUT_DELAY = 3;
export const EXTENSIONS = 4;

// --- Answers of the RTCP readers ----------------------------------------------------------------------------------

export const PUBLISHER_AUDIO_REPORT = 1;
export const PUBLISHER_VIDEO_REPORT = 2;
export const PUBLISHER_BYE = 4;

export const SUBSCRIBER_PLI = 1;
export const SUBSCRIBER_FIR = 2;
export const SUBSCRIBER_NACK = 4;
export const SUBSCRIBER_REPORT = 8;
export const SUBSCRIBER_ESTIMATE = 16;

/** CELL_FEEDBACK_DUE: what the publisher of the received packet should be told now. */
export const FEEDBACK_LOSSES = 1;
export const FEEDBACK_ARRIVALS = 2;

// --- Limits -------------------------------------------------------------------------------------------------------

/** The longest RTP or RTCP packet. */
export const PACKET_CAPACITY = 1500;
export const UP_TRACKS_MAX = 1024;
export const DOWN_TRACKS_MAX = 16384;
export const BLOCK_PAIRS_MAX = 65536;
/** Packets kept per up track, powers of two. */
export const HISTORY_AUDIO = 128;
export const HISTORY_VIDEO = 512;
/** Unique packets that one RTCP packet of a subscriber can ask for again. */
export const RETRANSMISSIONS_MAX = 256;
/** Stretches of a down track with one offset each, the newest ones kept to answer NACKs. */
export const SEGMENTS = 4;

/** A new SSRC is adopted at once when the present one has been silent for so long. */
export const SOURCE_SILENCE_MS = 250;
/** A packet is not sent again within the round-trip time, or this while it is unknown; never within the least. */
export const RESEND_INTERVAL_MS = 40;
export const RESEND_INTERVAL_LEAST_MS = 10;
/** Packets that may be sent again: one for each that was sent, saved up to so many. A subscriber can't ask for more. */
export const RESEND_CREDIT_MAX = 512;
/** RFC 3550 A.1: the longest gap that is still the same stretch of packets. */
export const MAX_DROPOUT = 3000;
/** RFC 3550 A.1: how far behind the newest a packet may be; more than its 100, as the history is longer. */
export const MAX_MISORDER = 512;
/** Packets that a subscriber may be started with out of the history: more would be a burst that its line can't take. */
export const REPLAY_PACKETS_MAX = 128;
/** Packets of an up track that are missing and may be asked for, at one time; of more the oldest are given up. */
export const MISSING_MAX = 256;
/** How long a gap may be reordering: this, or as long as packets of the track were seen to be overtaken, up to a limit. */
export const PATIENCE_LEAST_MS = 10;
export const PATIENCE_MOST_MS = 60;
/** While no packet was seen to be overtaken, a gap is a loss once so many packets have come after it. */
export const OVERTAKEN_MAX = 3;
/** A missing packet is asked for again after the round-trip time and its spread, within these; or while it is unknown. */
export const ASK_INTERVAL_LEAST_MS = 20;
export const ASK_INTERVAL_MOST_MS = 400;
export const ASK_INTERVAL_MS = 120;
/** A missing packet is given up after so many requests, or so late that nobody would wait for its picture. */
export const ASK_TIMES_MAX = 10;
export const MISSING_AGE_MAX_MS = 1200;
/** Publishers are told when their packets arrived so often, or after so many packets. */
export const TRANSPORT_INTERVAL_MS = 60;
export const TRANSPORT_PACKETS_MAX = 256;
/** Transport-wide sequence numbers whose arrival is known, per publisher: a power of two. */
export const ARRIVALS = 512;
/** The SSRC under which the relay sends RTCP to publishers. */
export const REPORTER_SSRC = 1;

// --- Counters: 64-bit, aligned ------------------------------------------------------------------------------------

/** 0: packets forwarded to subscribers; 1 .. VERDICTS - 1: packets dropped by that verdict. */
export const COUNTER_FORWARDED = 0;
export const COUNTER_BYTES_FORWARDED = 32;
export const COUNTER_RECEIVED = 33;
export const COUNTER_BYTES_RECEIVED = 34;
export const COUNTER_ADMITTED = 35;
export const COUNTER_KEYFRAMES = 36;
export const COUNTER_SOURCE_CHANGES = 37;
export const COUNTER_RETRANSMITTED = 38;
export const COUNTER_NOT_RETRANSMITTED = 39;
export const COUNTER_RTCP_RECEIVED = 40;
export const COUNTER_RTCP_MALFORMED = 41;
export const COUNTER_KEYFRAME_REQUESTS = 42;
export const COUNTER_BLOCK_TABLE_FULL = 43;
export const COUNTER_TRACK_TABLE_FULL = 44;
/** Requests for missing packets of publishers, each packet as often as it was asked for; those that came; those given up. */
export const COUNTER_ASKED = 45;
export const COUNTER_RECOVERED = 46;
export const COUNTER_GIVEN_UP = 47;
/** Subscribers that were started with a keyframe of the history. */
export const COUNTER_REPLAYS = 48;
/** Packets of publishers of other shards, which those have admitted. */
export const COUNTER_MIRRORED = 49;
/** From here on: present values. */
export const COUNTER_UP_TRACKS = 50;
export const COUNTER_DOWN_TRACKS = 51;
export const COUNTER_BLOCKED_PAIRS = 52;
export const COUNTER_SLOTS = 53;
export const COUNTER_SLOTS_FREE = 54;
export const COUNTERS = 64;

// --- Statistics of one track: what to ask for ---------------------------------------------------------------------

/** Both directions: packets and bytes in all, packets lost in all. Bytes: up with headers, down of the payload alone. */
export const STATISTIC_PACKETS = 0;
export const STATISTIC_OCTETS = 1;
export const STATISTIC_LOST = 2;
/** Interarrival jitter in milliseconds (RFC 3550 6.4.1): up as measured here, down as the subscriber reported it. */
export const STATISTIC_JITTER = 3;
/** Up: keyframes asked for; down: requests that came. */
export const STATISTIC_KEYFRAME_REQUESTS = 4;
export const STATISTIC_SSRC = 5;
/** Up alone: keyframes that came, changes of source, and whether a source is known. */
export const STATISTIC_KEYFRAMES = 6;
export const STATISTIC_SOURCES = 7;
/** Packets asked for again (up: by us), those of them that were sent, round-trip time in milliseconds (0: unknown). */
export const STATISTIC_NACKS = 8;
export const STATISTIC_RETRANSMISSIONS = 9;
export const STATISTIC_ROUND_TRIP_TIME = 10;
/** Down alone: whether packets go out; video that waits for a keyframe is suspended. */
export const STATISTIC_ACTIVE = 11;
export const STATISTIC_SUSPENDED = 12;

// --- Records ------------------------------------------------------------------------------------------------------

export const UP_TRACK_SIZE = 320;
export const SEGMENT_SIZE = 24;
export const DOWN_TRACK_SIZE = 256;
export const DOWN_TRACK_SEGMENTS = 144;
/** A packet slot: its record, then the packet's bytes; what is left of the stride is never written. */
export const SLOT_RECORD_SIZE = 64;
export const SLOT_SIZE = 1600;
/** Times of the packets sent late or again to a down track, by the low bits of their sequence number: a power of two. */
export const RESENDS = 128;
export const RESEND_SIZE = 4;
/** Buckets of the block set: a power of two, at least twice the pairs, so that a search always meets an empty one. */
export const BLOCK_BUCKETS = 131072;
export const BLOCK_SIZE = 8;
export const RETRANSMISSION_SIZE = 8;
/** One packet that is missing from an up track. */
export const MISSING_SIZE = 16;
export const ARRIVAL_SIZE = 4;

// --- The map ------------------------------------------------------------------------------------------------------

export const PAGE_SIZE = 65536;
/** The compiler's own static data, if any, lies below. */
export const ENGINE_START = PAGE_SIZE;

/** 32-bit cells by which the engine tells its host more than one number. */
export const CELLS_START = ENGINE_START;
export const CELL_VERSION = 0;
/** Where the host puts the next RTP packet. */
export const CELL_INBOX = 1;
export const CELL_ADMITTED_TRACK = 2;
export const CELL_ADMITTED_KEYFRAME = 3;
/** The packet to send: after receive() and after retransmit(). */
export const CELL_PACKET = 4;
export const CELL_PACKET_LENGTH = 5;
export const CELL_RETRANSMISSIONS = 6;
/** FEEDBACK_ bits, after receive(). */
export const CELL_FEEDBACK_DUE = 7;
/** Packets given up since the last keyframe: after lossRequest(), once. */
export const CELL_GIVEN_UP = 8;
/** Whether the admitted packet came after newer ones. */
export const CELL_ADMITTED_LATE = 9;
/** bit/s, of the subscriber's estimate that was read last; at most 2^31 - 1. */
export const CELL_ESTIMATE = 10;
/** Which source of its track the admitted packet is of, and its extended sequence number in two halves: after exportPacket(). */
export const CELL_EXPORTED_EPOCH = 11;
export const CELL_EXPORTED_LOW = 12;
export const CELL_EXPORTED_HIGH = 13;
export const CELLS = 16;

export const COUNTERS_START = CELLS_START + CELLS * 4;
export const RTCP_INBOX_START = COUNTERS_START + COUNTERS * 8;
export const RTCP_INBOX_SIZE = 1536;
export const RTCP_OUTBOX_START = RTCP_INBOX_START + RTCP_INBOX_SIZE;
export const RTCP_OUTBOX_SIZE = 1280;
/** Where a packet is put in a retransmission stream (RFC 4588). */
export const RTX_OUTBOX_START = RTCP_OUTBOX_START + RTCP_OUTBOX_SIZE;
export const RTX_OUTBOX_SIZE = 1504;
/** Where transport-wide feedback is worked out: a byte and 16 bits per packet. */
export const TRANSPORT_SYMBOLS_START = RTX_OUTBOX_START + RTX_OUTBOX_SIZE;
export const TRANSPORT_DELTAS_START = TRANSPORT_SYMBOLS_START + TRANSPORT_PACKETS_MAX;
export const RETRANSMISSIONS_START = TRANSPORT_DELTAS_START + TRANSPORT_PACKETS_MAX * 2;
/** One bit per sequence number and kind: whether it is in the list of retransmissions. */
export const REQUESTED_START = RETRANSMISSIONS_START + RETRANSMISSIONS_MAX * RETRANSMISSION_SIZE;
export const REQUESTED_SIZE = 8192;
export const UP_TRACKS_START = REQUESTED_START + 2 * REQUESTED_SIZE;
export const DOWN_TRACKS_START = UP_TRACKS_START + UP_TRACKS_MAX * UP_TRACK_SIZE;
export const RESENDS_START = DOWN_TRACKS_START + DOWN_TRACKS_MAX * DOWN_TRACK_SIZE;
export const HISTORY_START = RESENDS_START + DOWN_TRACKS_MAX * RESENDS * RESEND_SIZE;
export const MISSING_START = HISTORY_START + UP_TRACKS_MAX * HISTORY_VIDEO * 4;
export const ARRIVALS_START = MISSING_START + UP_TRACKS_MAX * MISSING_MAX * MISSING_SIZE;
export const BLOCKS_START = ARRIVALS_START + UP_TRACKS_MAX * ARRIVALS * ARRIVAL_SIZE;
export const TABLES_END = BLOCKS_START + BLOCK_BUCKETS * BLOCK_SIZE;

/** Packet slots, as many as the memory has room for; it grows by ARENA_GROWTH_PAGES at a time. */
export const ARENA_START = (TABLES_END + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
export const ARENA_GROWTH_PAGES = 16;
/** Written a second time in asconfig.json; a test compares. */
export const INITIAL_PAGES = 384;
export const MAXIMUM_PAGES = 16384;
