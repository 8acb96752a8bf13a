import { codecs, flag, list, MAX, seconds, whole } from '../kinds.js';
import { setting } from '../setting.js';

export const MEDIA = {
  VIDEO_CODECS: setting(codecs, 'h264,vp8,vp9,av1', 'codecs that publishers may use, best first'),
  VIDEO_BITRATE_MAX: setting(whole(50_000, MAX, 'bit/s'), '2500000', 'what video publishers are told to stay under'),
  VIDEO_BITRATE_MIN: setting(
    whole(30_000, MAX, 'bit/s'),
    '150000',
    'what they may send in any case, however narrow the lines of their subscribers are',
  ),
  LOOP_DELAY_MAX: setting(
    whole(0, 10_000, 'ms'),
    '200',
    'how late a media worker may run, on average, until it leaves out video for some, so that audio and data are in time; 0 = never',
  ),
  NO_MEDIA_TIMEOUT: setting(
    seconds(0, 3600),
    '1',
    'time without a packet until `media` says `receiving: false`, 0 = never',
  ),
  SLOWLINK_THRESHOLD: setting(
    whole(0, MAX, 'packets'),
    '0',
    'packets lost in a second until `slowlink` is sent, 0 = never',
  ),
  SDP_BYTES_MAX: setting(
    whole(4096, 1_048_576, 'bytes'),
    '65536',
    'longest SDP of a client; browsers’ have about 10 KiB',
  ),
  SDP_LINES_MAX: setting(whole(100, 100_000), '2000', 'lines that it may have'),
  SDP_MEDIA_MAX: setting(whole(3, 1000), '32', 'of these, `m=` lines'),
  SDP_CANDIDATES_MAX: setting(whole(0, 10_000), '64', 'of these, candidates'),
  DATA_MESSAGE_BYTES_MAX: setting(
    whole(1024, 262_144, 'bytes'),
    '262144',
    'longest data channel message told to clients',
  ),
  DATA_BACKLOG_MAX: setting(
    whole(65_536, MAX, 'bytes'),
    '1048576',
    'what may wait for a slow receiver of a data channel; then messages are dropped (unreliable labels) or its channel is closed',
  ),
  SUBSCRIBER_DATA: setting(
    flag,
    'true',
    'offer subscribers data channels of their own, beside those of publishers; networked-aframe needs none, and each peer without costs less memory and CPU',
  ),
  UNRELIABLE_LABELS: setting(
    list,
    'unreliable',
    'labels of data channels whose messages may be dropped, separated by commas',
  ),
  MIN_NACK_QUEUE: setting(
    whole(0, 1000, 'ms'),
    '200',
    'told by `info` and the Admin API; lost packets are sent again from histories that are counted in packets, so media does not depend on it',
  ),
};
