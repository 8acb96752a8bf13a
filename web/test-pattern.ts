/** A drawn picture and a soft tone, so that a call works on a machine without camera and microphone. */

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 20;
const BAR_COLOURS = ['#e6e8ec', '#e3d26f', '#6fd3d8', '#74c476', '#c98bd6', '#dd6b66', '#6a86e0'];

/** A number from a name, the same each time: its hue and its pitch. */
export function nameHash(name: string): number {
  let hash = 2166136261;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  return hash >>> 0;
}

/** The name's hue, in degrees. */
export function nameHue(name: string): number {
  return nameHash(name) % 360;
}

/** Colour bars, the name, a clock and a moving disc: a frozen or late picture is seen at once. */
function draw(context: CanvasRenderingContext2D, name: string, now: Date): void {
  const hue = nameHue(name);
  const barWidth = WIDTH / BAR_COLOURS.length;
  const background = context.createLinearGradient(0, 0, WIDTH, HEIGHT);
  background.addColorStop(0, `hsl(${hue} 55% 30%)`);
  background.addColorStop(1, `hsl(${(hue + 50) % 360} 60% 16%)`);
  context.fillStyle = background;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  BAR_COLOURS.forEach((colour, index) => {
    context.fillStyle = colour;
    context.fillRect(index * barWidth, HEIGHT - 56, barWidth + 1, 56);
  });

  const seconds = now.getTime() / 1000;
  const x = WIDTH / 2 + Math.cos(seconds * 1.4) * (WIDTH / 2 - 70);
  const y = (HEIGHT - 56) / 2 + Math.sin(seconds * 2.8) * 84;
  context.fillStyle = `hsl(${(hue + 180) % 360} 80% 66% / 0.9)`;
  context.beginPath();
  context.arc(x, y, 34, 0, Math.PI * 2);
  context.fill();

  context.textAlign = 'center';
  context.fillStyle = '#ffffff';
  context.font = '600 58px system-ui, sans-serif';
  context.fillText(name, WIDTH / 2, 140, WIDTH - 60);
  context.font = '28px ui-monospace, monospace';
  const time = `${now.toTimeString().slice(0, 8)}.${Math.floor(now.getMilliseconds() / 100)}`;
  context.fillText(time, WIDTH / 2, 192);
}

/** A quiet, slowly swelling sine of the name's own pitch (220..660 Hz). */
function tone(name: string): { track: MediaStreamTrack | undefined; stop: () => void } {
  const audio = new AudioContext();
  const oscillator = audio.createOscillator();
  oscillator.frequency.value = 220 + (nameHash(name) % 440);
  const swell = audio.createOscillator();
  swell.frequency.value = 0.6;
  const depth = audio.createGain();
  depth.gain.value = 0.05;
  const volume = audio.createGain();
  volume.gain.value = 0.07;
  const destination = audio.createMediaStreamDestination();
  swell.connect(depth).connect(volume.gain);
  oscillator.connect(volume).connect(destination);
  oscillator.start();
  swell.start();
  // Without a click on the page browsers start it suspended; the first click anywhere starts it.
  const resume = () => void audio.resume();
  document.addEventListener('click', resume);
  resume();
  return {
    track: destination.stream.getAudioTracks()[0],
    stop: () => {
      document.removeEventListener('click', resume);
      void audio.close();
    },
  };
}

export interface MediaSource {
  stream: MediaStream | null;
  stop: () => void;
}

export function testPattern(name: string): MediaSource {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser draws no pictures (no 2D canvas).');
  draw(context, name, new Date());
  const timer = setInterval(() => draw(context, name, new Date()), 1000 / FRAMES_PER_SECOND);
  const stream = canvas.captureStream(FRAMES_PER_SECOND);
  const { track, stop } = tone(name);
  if (track) stream.addTrack(track);
  return {
    stream,
    stop: () => {
      clearInterval(timer);
      stop();
      for (const each of stream.getTracks()) each.stop();
    },
  };
}
