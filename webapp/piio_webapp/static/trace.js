/* The line of a graph: a value holds while somebody vouches for it, and the line breaks where nobody did. */

const REPEAT = 60; // s after which a board tells a value again that has not changed

const HELD = 1; // s that a reading may be late without being drawn as a value at rest

const LONGEST_BLOCK = 0.5; // s after which samples that do not come are missing

export class Trace {
  times = [];
  values = [];
  #period = 0.1;
  #idle = 10;
  #usual = 0; // s between two readings of the history
  #stretch = {}; // the last of the samples, and how many times were before it
  #began = Infinity; // when the samples began that none is missing of since: they tell more than the history
  #unsure = new Set(); // times at which a value was first heard of, which is older by nobody knows how much

  /** Take how often the point is read while somebody looks, and while nobody does. */
  configure({ period, idle_period: idle, sample_rate: sampled } = {}) {
    this.#period = period ?? 0.1;
    this.#idle = idle ?? 10;
    if (!sampled) this.#began = Infinity;
  }

  /** Put history before what was heard since; a gap ([from, to]) breaks the line, and so does a long silence. */
  load(all, gaps = []) {
    const buckets = all.filter(([time]) => time < this.#began);
    const since = buckets.length ? this.times.findIndex((time) => time > buckets.at(-1)[0]) : 0;
    const heard = since < 0 ? [] : this.times.slice(since).map((time, index) => [time, this.values[since + index]]).filter(([time]) => !buckets.length || !this.#unsure.has(time));
    this.#unsure.clear();
    const before = this.times.length;
    this.#usual = median(buckets.slice(1).map(([time], index) => time - buckets[index][0]));
    this.times = [];
    this.values = [];
    for (const [time, , , mean] of buckets) this.#readAfter(gaps, time, mean);
    this.#breakAt(gaps, Infinity);
    if (heard.length) this.#read(...heard[0]);
    for (const [time, value] of heard.slice(1)) this.#push(time, value);
    this.#stretch.at += this.times.length - before;
  }

  /** Add a value that is older than this by nobody knows how much; the history may know. */
  begin(time, value, doubted) {
    this.add(time, value, doubted);
    this.#unsure.add(this.times.at(-1));
  }

  /** Add a value of now; `doubted`: since the one before, it was stale or bad for a while. */
  add(time, value, doubted) {
    const after = Math.max(time, (this.times.at(-1) ?? -Infinity) + 1e-3);
    const silence = this.#silence(after);
    if (doubted && silence > this.#joined) this.#break(after);
    else if (!doubted && silence > Math.max(3 * this.#period, HELD)) this.#push(after - this.#period, this.values.at(-1));
    this.#push(after, value);
  }

  /** Add samples of `width` seconds each ([t, min, max]): a line from the least to the greatest. */
  addSamples(stretches, width) {
    for (const [time, low, high] of stretches) {
      const again = time === this.#stretch.time;
      const least = again ? Math.min(low, this.#stretch.low) : low;
      const most = again ? Math.max(high, this.#stretch.high) : high;
      if (again) { this.times.length = this.values.length = this.#stretch.at; }
      else if (!(time - this.#stretch.time <= Math.max(3 * width, LONGEST_BLOCK))) {
        if (this.times.length) this.#break(time);
        this.#began = time;
      }
      if (this.times.length && time <= this.times.at(-1)) continue;
      this.#stretch = { time, low: least, high: most, at: this.times.length };
      this.#push(time, least);
      if (most > least) this.#push(time + width / 2, most);
    }
  }

  /** Forget what is older than a time, but for one value before it, and what is more than `most`. */
  trim(oldest, most) {
    let drop = Math.max(0, this.times.length - most);
    while (drop < this.times.length - 1 && this.times[drop + 1] < oldest) drop += 1;
    this.times.splice(0, drop);
    this.values.splice(0, drop);
    this.#stretch.at -= drop;
  }

  /** The readings that no line leads to or from, which are drawn as dots. */
  static lonely(values) {
    return values.flatMap((value, index) => (value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null ? [index] : []));
  }

  /** Seconds over which two readings are simply joined. */
  get #joined() { return Math.max(3 * this.#usual, 2 * this.#idle); }

  /** A silence of up to a minute may be a value at rest: then it holds, and turns where it was read anew. */
  #read(time, value) {
    const silence = this.#silence(time);
    if (silence > Math.max(this.#joined, REPEAT + 2 * this.#idle)) this.#break(time);
    else if (silence > this.#joined) this.#push(time - Math.max(this.#usual, this.#idle), this.values.at(-1));
    this.#push(time, value);
  }

  /** Of a stretch that begins in a gap, all readings came after that. */
  #readAfter(gaps, time, value) {
    const at = Math.max(time, ...gaps.filter(([from, to]) => from <= time && time < to).map(([, to]) => to));
    if (this.#breakAt(gaps, at)) this.#push(at, value);
    else this.#read(at, value);
  }

  /** Until a gap between the last reading and this time the value holds; says whether there was one. */
  #breakAt(gaps, time) {
    const last = this.times.at(-1) ?? Infinity;
    const between = gaps.filter(([from, to]) => from < time && to > last);
    if (!between.length) return false;
    const from = Math.max(between[0][0], last);
    if (from > last) this.#push(from, this.values.at(-1));
    this.#push(from + 1e-3, null);
    return true;
  }

  #silence(time) { return this.times.length ? time - this.times.at(-1) : 0; }
  #break(time) { this.#push((this.times.at(-1) + time) / 2, null); }

  /** Times ascend, whatever comes: of two values at one time the later counts. */
  #push(time, value) {
    if (time <= this.times.at(-1)) { this.values[this.values.length - 1] = value; return; }
    this.times.push(time);
    this.values.push(value);
  }
}

function median(numbers) {
  return numbers.length ? numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] : 0;
}
