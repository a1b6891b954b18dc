/** Tokenizers against the Rust library and Python transformers (test/golden/tokenization.py). */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_TOKENIZERS, tokenization, tokenizerFolder } from "../../test/tokenization.ts";
import { Tokenizer } from "./tokenizer.ts";
import { withoutNewCharacters } from "./unicode-version.ts";

/** Text out of a stream, token by token; no piece may end inside a character. */
function streamed(tokenizer: Tokenizer, ids: readonly number[]): string {
  const stream = tokenizer.stream();
  const pieces = ids.map((id) => stream.push(id));
  for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u);
  return pieces.join("") + stream.end();
}

const names = Object.keys(tokenization.tokenizers);
const loaded = new Map<string, Tokenizer>();
for (const name of names) loaded.set(name, await Tokenizer.load(tokenizerFolder(name)));

describe.each(names)("%s", (name) => {
  const golden = tokenization.tokenizers[name]!;
  const tokenizer = loaded.get(name)!;

  it("encodes text as text, special tokens in it included", () => {
    for (const { text, plain } of golden.cases) expect(tokenizer.encode(text), text).toEqual(plain);
  });

  it("encodes special tokens in a text when asked", () => {
    for (const { text, plain, parsed = plain } of golden.cases)
      expect(tokenizer.encode(text, { specialTokens: "parse" }), text).toEqual(parsed);
  });

  it("puts the start tokens before a prompt once", () => {
    for (const { text, plain, parsed = plain, full = parsed } of golden.cases) {
      const hasStart = tokenizer.startIds.length > 0 && parsed[0] === tokenizer.startIds[0];
      expect(tokenizer.encodePrompt(text)).toEqual(hasStart ? parsed : full);
    }
  });

  it("encodes generated texts", () => {
    const joined = tokenization.generated
      .map((text) => `${tokenizer.encode(text).join()};`)
      .join("");
    expect(createHash("sha256").update(joined).digest("hex")).toBe(golden.generated);
  });

  it("decodes, with and without special tokens", () => {
    for (const { text, plain, parsed = plain, decoded, decoded_special } of golden.cases) {
      expect(tokenizer.decode(parsed), text).toBe(decoded ?? text);
      expect(tokenizer.decode(parsed, { keepSpecial: true })).toBe(decoded_special ?? text);
    }
  });

  it("decodes cut and reordered ids, all at once and token by token", () => {
    for (const { ids, text } of golden.cut) {
      expect(tokenizer.decode(ids)).toBe(text);
      // The stream of a byte-level vocabulary is exact; another may keep characters that the whole list loses.
      const isExact = tokenizer.isByteLevel || !text.includes("\ufffd");
      if (isExact) expect(streamed(tokenizer, ids)).toBe(text);
      else expect(streamed(tokenizer, ids).length).toBeGreaterThan(0);
    }
  });

  it("streams each text without half a character", () => {
    for (const { text, plain, decoded } of golden.cases) {
      if (text.includes("\ufffd") || decoded?.includes("\ufffd")) continue;
      const stream = tokenizer.stream();
      const pieces = plain.map((id) => stream.push(id));
      for (const piece of pieces) expect(piece).not.toContain("\ufffd");
      expect(pieces.join("") + stream.end()).toBe(tokenizer.decode(plain));
    }
  });
});

describe("characters", () => {
  const { classes } = tokenization;
  const members = (ranges: readonly (readonly [number, number])[]) => {
    const set = new Uint8Array(0x110000);
    for (const [first, last] of ranges) set.fill(1, first, last + 1);
    return set;
  };

  it("belong to the classes of the reference, in all of Unicode", () => {
    const patterns = {
      L: /^\p{L}$/u,
      M: /^\p{M}$/u,
      N: /^\p{N}$/u,
      S: /^\p{White_Space}$/u,
      fold_s: /^[sS\u017f]$/u,
      fold_t: /^[tT]$/u,
    };
    const checks = Object.entries(patterns).map(([name, pattern]) => {
      return { name, pattern, expected: members(classes[name as keyof typeof patterns]) };
    });
    const wrong: string[] = [];
    for (let code = 0; code < 0x110000; code += 1) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const character = withoutNewCharacters(String.fromCodePoint(code));
      for (const { name, pattern, expected } of checks) {
        if (pattern.test(character) !== (expected[code] === 1))
          wrong.push(`${name} ${code.toString(16)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("compose as in the reference", () => {
    let text = "";
    for (let code = 0; code < 0x110000; code += 1) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const character = String.fromCodePoint(code);
      const composed = character.normalize("NFC");
      if (composed === character) continue;
      text += `${code}:${[...composed].map((c) => c.codePointAt(0)).join()};`;
    }
    expect(createHash("sha256").update(text).digest("hex")).toBe(tokenization.composed);
  });
});

describe("the files of a tokenizer", () => {
  it("decide on the start tokens as transformers does", () => {
    const json = loaded.get("gpt2")!.json as { readonly added_tokens: readonly object[] };
    const bos = { id: 128_000, content: "<|begin_of_text|>", special: true, normalized: false };
    const added_tokens = [...json.added_tokens, bos];
    for (const { post_processor, flags, ids } of tokenization.starts) {
      const config = { bos_token: bos.content, ...flags };
      const tokenizer = new Tokenizer({ ...json, added_tokens, post_processor }, config);
      expect(tokenizer.startIds, JSON.stringify([post_processor, flags])).toEqual(ids);
      expect(tokenizer.encodePrompt(`${bos.content}a`)).toEqual([bos.id, tokenizer.idOf("a")]);
    }
  });

  it("name the end and padding tokens", () => {
    const qwen = loaded.get("qwen2_5")!;
    expect([qwen.bosTokenId, qwen.eosTokenId, qwen.padTokenId]).toEqual([
      undefined,
      151645,
      151643,
    ]);
    expect(qwen.size).toBe(151665);
  });

  it("are saved byte for byte", async () => {
    const source = await mkdtemp(path.join(tmpdir(), "habits-tokenizer-"));
    const target = await mkdtemp(path.join(tmpdir(), "habits-tokenizer-"));
    try {
      const small = await readFile(path.join(SMALL_TOKENIZERS, "gpt2", "tokenizer.json"));
      const files: Record<string, Uint8Array | string> = {
        "tokenizer.json": small,
        "tokenizer_config.json": '{"chat_template":"x",\r\n\t"bos_token" : null, "kept": 1e3}',
        "special_tokens_map.json": '{"eos_token":{"content":"<|endoftext|>","lstrip":false}}\n\n',
        "chat_template.jinja": "{{ messages }}\n",
        "merges.txt": "#version: 0.2\nt h\n",
        "vocab.json": '{"a":0}',
      };
      for (const [name, content] of Object.entries(files))
        await writeFile(path.join(source, name), content);
      await writeFile(path.join(source, "model.safetensors"), "not of the tokenizer");
      const tokenizer = await Tokenizer.load(source);
      await tokenizer.save(target);
      expect([...tokenizer.files.keys()].sort()).toEqual(Object.keys(files).sort());
      for (const [name, content] of Object.entries(files))
        expect(await readFile(path.join(target, name))).toEqual(Buffer.from(content));
      expect(tokenizer.chatTemplate).toBe("{{ messages }}\n");
      expect(tokenizer.eosTokenId).toBe(0);
    } finally {
      await rm(source, { recursive: true });
      await rm(target, { recursive: true });
    }
  });

  it("that are missing or broken are named", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "habits-tokenizer-"));
    try {
      await expect(Tokenizer.load(folder)).rejects.toThrow(/tokenizer\.json": no such file/);
      await writeFile(path.join(folder, "vocab.json"), "{}");
      await expect(Tokenizer.load(folder)).rejects.toThrow(/no such file; found vocab\.json/);
      await writeFile(path.join(folder, "tokenizer.json"), '{"model": {"type": "BPE"}}');
      await expect(Tokenizer.load(folder)).rejects.toThrow(/tokenizer\.json: .*model\.vocab/s);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("text of anyone", () => {
  it("makes no special token, even where the vocabulary holds its name as a word", () => {
    const vocab = { "<pad>": 0, "<eos>": 1, "<unk>": 2, hi: 3 };
    const special = ["<pad>", "<eos>", "<unk>"].map((content, id) => ({
      id,
      content,
      special: true,
    }));
    const tokenizer = new Tokenizer({
      added_tokens: special.map((token) => ({ ...token, normalized: false })),
      pre_tokenizer: { type: "WhitespaceSplit" },
      model: { type: "WordLevel", vocab, unk_token: "<unk>" },
    });
    expect(tokenizer.encode("hi <eos> there")).toEqual([3, 2, 2]);
    expect(tokenizer.encode("hi <eos> there", { specialTokens: "parse" })).toEqual([3, 1, 2]);
  });

  it("of one long piece takes time in proportion to its length", () => {
    const tokenizer = loaded.get("gpt2")!;
    const ids = tokenizer.encode("a".repeat(300_000));
    expect(tokenizer.decode(ids)).toBe("a".repeat(300_000));
  });

  it("with half of a surrogate pair becomes U+FFFD", () => {
    const tokenizer = loaded.get("gpt2")!;
    expect(tokenizer.decode(tokenizer.encode("a\ud83db"))).toBe("a\ufffdb");
  });
});
