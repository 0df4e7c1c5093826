/**
 * SHA-256 (FIPS 180-4) as a plain function. The platform's own digest is
 * asynchronous, and loading the one of `node:crypto` would take a fifth of the
 * time that a whole `start` may take.
 *
 * @module
 */

/** Fractional parts of the cube roots of the first 64 primes (section 4.2.2). */
const constants: Uint32Array = firstPrimes(64).reduce(
  (words, prime, index) => {
    words[index] = fraction(Math.cbrt(prime));
    return words;
  },
  new Uint32Array(64),
);

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes;
}

/** The first 32 bits of the fraction of a number. */
function fraction(value: number): number {
  return (value - Math.floor(value)) * 2 ** 32 >>> 0;
}

function rotate(word: number, by: number): number {
  return word >>> by | word << 32 - by;
}

/** Message, one bit, zeros, and the length in bits, in blocks of 64 bytes. */
function pad(message: Uint8Array): DataView {
  const blocks = Math.ceil((message.length + 9) / 64);
  const padded = new Uint8Array(blocks * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  return view;
}

function schedule(view: DataView, offset: number): Uint32Array {
  const w = new Uint32Array(64);
  for (let t = 0; t < 16; t++) w[t] = view.getUint32(offset + t * 4);
  for (let t = 16; t < 64; t++) {
    const a = w[t - 15]!;
    const b = w[t - 2]!;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >>> 3;
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >>> 10;
    w[t] = w[t - 16]! + s0 + w[t - 7]! + s1;
  }
  return w;
}

function compress(hash: Uint32Array, w: Uint32Array): void {
  const state = Array.from(hash);
  for (let t = 0; t < 64; t++) {
    const [a, b, c, , e, f, g, h] = state as [
      ...[number, number, number, number],
      ...[number, number, number, number],
    ];
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = e & f ^ ~e & g;
    const t1 = h + s1 + choice + constants[t]! + w[t]!;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = a & b ^ a & c ^ b & c;
    state.pop();
    state.unshift(t1 + s0 + majority >>> 0);
    state[4] = state[4]! + t1 >>> 0;
  }
  state.forEach((word, index) => hash[index]! += word);
}

/**
 * The digest of a text.
 *
 * @param text Hashed as UTF-8.
 * @returns 64 hexadecimal digits, lower case.
 *
 * @example The empty text
 * ```ts
 * import { sha256 } from "./sha256.ts";
 * console.assert(sha256("").startsWith("e3b0c44298fc1c14"));
 * ```
 */
export function sha256(text: string): string {
  const hash = Uint32Array.from(
    firstPrimes(8),
    (prime) => fraction(Math.sqrt(prime)),
  );
  const view = pad(new TextEncoder().encode(text));
  for (let offset = 0; offset < view.byteLength; offset += 64) {
    compress(hash, schedule(view, offset));
  }
  return Array.from(hash, (word) => word.toString(16).padStart(8, "0")).join(
    "",
  );
}
