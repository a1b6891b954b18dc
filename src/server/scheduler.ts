/**
 * Continuous batching over jobs: between decoding steps, waiting sequences take the places of those that ended, in the order
 * in which they came. Cancelled ones leave at once. A step that fails ends the jobs that were running, and the next go on.
 */
import type { ProgramCache } from "../engine/index.ts";
import type { LanguageModel } from "../model/checkpoint.ts";
import { Decoder, SharedPrompt } from "../model/sampling/decoder.ts";
import { Sequence } from "../model/sampling/sequence.ts";
import { toPlainError } from "../util/plain-error.ts";
import type { ChoiceEvent, EngineReply, JobSpec } from "./job.ts";

interface Place {
  readonly job: number;
  readonly choice: number;
  readonly sequence: Sequence<SharedPrompt>;
}

export interface SchedulerOptions {
  readonly model: LanguageModel;
  readonly programs: ProgramCache;
  /** Sequences that are decoded side by side. */
  readonly maxBatch: number;
  readonly reply: (reply: EngineReply) => void;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  #decoder: Decoder;
  readonly #running = new Map<Sequence, Place>();
  #waiting: Place[] = [];
  #loop: Promise<void> | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#decoder = this.#newDecoder();
  }

  /** Queues the sequences of a job. */
  submit(job: number, spec: JobSpec): void {
    const prompts = new Map<string, SharedPrompt>();
    const text = { stream: () => this.#options.model.tokenizer.stream(), stop: spec.stop };
    spec.requests.forEach(({ promptIds, key }, choice) => {
      const name = promptIds.join();
      const prompt = prompts.get(name) ?? new SharedPrompt(promptIds, 0);
      prompts.set(name, prompt);
      prompt.uses += 1;
      const settings = { ...spec.settings, seed: spec.seed, key };
      this.#waiting.push({ job, choice, sequence: new Sequence(prompt, settings, text) });
    });
    this.#loop ??= this.#run();
  }

  /** Drops the sequences of a job; their places are free for the next step. */
  cancel(job: number): void {
    this.#waiting = this.#waiting.filter((place) => place.job !== job);
    for (const [sequence, place] of this.#running) {
      if (place.job !== job) continue;
      this.#running.delete(sequence);
      this.#decoder.remove(sequence);
    }
  }

  /** Drops everything and resolves when the step in progress is over. */
  async close(): Promise<void> {
    this.#waiting = [];
    for (const sequence of this.#running.keys()) this.#decoder.remove(sequence);
    this.#running.clear();
    await this.#loop;
  }

  async #run(): Promise<void> {
    // Jobs that arrive in the same turn are read together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0 || this.#running.size > 0) {
      try {
        await this.#advance();
        this.#report();
      } catch (error) {
        const jobs = [...new Set([...this.#running.values()].map(({ job }) => job))];
        this.#running.clear();
        this.#waiting = this.#waiting.filter(({ job }) => !jobs.includes(job));
        this.#decoder = this.#newDecoder();
        this.#options.reply({ type: "failed", jobs, error: toPlainError(error) });
      }
    }
    this.#loop = undefined;
  }

  /** Takes in waiting sequences if there is a place, else decodes one token of each. */
  async #advance(): Promise<void> {
    const wave = this.#waiting.splice(0, this.#options.maxBatch - this.#running.size);
    if (wave.length === 0) return this.#decoder.step();
    for (const place of wave) this.#running.set(place.sequence, place);
    await this.#decoder.admit(wave.map(({ sequence }) => sequence));
    // Those that were cancelled meanwhile.
    for (const { sequence } of wave) {
      if (!this.#running.has(sequence)) this.#decoder.remove(sequence);
    }
  }

  /** Tells what each sequence gained, and lets go of the finished ones. */
  #report(): void {
    const events: { job: number; event: ChoiceEvent }[] = [];
    for (const [sequence, { job, choice }] of this.#running) {
      const reason = sequence.stopReason;
      const { text, records } = sequence.takeChunk();
      if (reason === undefined && text === "" && records.length === 0) continue;
      const finish = reason && { finish: { reason, tokens: sequence.ids.length } };
      events.push({ job, event: { choice, text, records, ...finish } });
      if (reason !== undefined) this.#running.delete(sequence);
    }
    if (events.length > 0) this.#options.reply({ type: "events", events });
  }

  #newDecoder(): Decoder {
    const { model, programs } = this.#options;
    return new Decoder(model.config, programs, model.parameters.views);
  }
}
