// NumPy's RandomState, whose stream NumPy guarantees: the same seeds give the same numbers as on the
// server. Mersenne Twister (Matsumoto and Nishimura 1998), and the polar method (Marsaglia and
// Bray 1964).

const LENGTH = 624;

export class RandomState {
  #state = new Uint32Array(LENGTH);
  #next = LENGTH;
  #spare = null; // of the polar method, which draws two numbers at once

  /** An unsigned 32-bit number, or an array of them. */
  constructor(seed) {
    if (Array.isArray(seed)) this.#seedByArray(seed);
    else this.#seed(seed);
  }

  /** Uniform in [0, 1), with 53 random bits. */
  double() {
    const high = this.integer() >>> 5;
    const low = this.integer() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  /** Standard normal. */
  normal() {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    let x, y, square;
    do {
      x = 2 * this.double() - 1;
      y = 2 * this.double() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    this.#spare = factor * x;
    return factor * y;
  }

  /** Unsigned, with 32 bits. */
  integer() {
    if (this.#next === LENGTH) this.#twist();
    let y = this.#state[this.#next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #seed(seed) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < LENGTH; i++) {
      state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
  }

  #seedByArray(key) {
    this.#seed(19650218);
    const state = this.#state;
    const mix = (i, factor) => state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), factor);
    let i = 1;
    const advance = () => {
      if (++i < LENGTH) return;
      state[0] = state[LENGTH - 1];
      i = 1;
    };
    for (let k = 0; k < Math.max(LENGTH, key.length); k++) {
      const j = k % key.length;
      state[i] = mix(i, 1664525) + key[j] + j;
      advance();
    }
    for (let k = 0; k < LENGTH - 1; k++) {
      state[i] = mix(i, 1566083941) - i;
      advance();
    }
    state[0] = 0x80000000;
  }

  #twist() {
    const state = this.#state;
    for (let i = 0; i < LENGTH; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % LENGTH] & 0x7fffffff);
      state[i] = state[(i + 397) % LENGTH] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}
