/** Chat templates against transformers' `apply_chat_template` (test/golden/tokenization.py), and what bounds them. */
import { describe, expect, it } from "vitest";
import { tokenization, tokenizerFolder } from "../../test/tokenization.ts";
import { ChatTemplate } from "./chat-template.ts";
import { generationDefaults, withEndTokens } from "./generation-config.ts";
import { Tokenizer } from "./tokenizer.ts";

const { messages, features, cases } = tokenization.chats;
const tokenizers = new Map<string, Tokenizer>();
for (const name of ["llama3", "qwen2_5"])
  tokenizers.set(name, await Tokenizer.load(tokenizerFolder(name)));
const qwen = tokenizers.get("qwen2_5")!;
const chat = [{ role: "user", content: "hi" }];

describe("the golden chats", () => {
  it.each(cases)("$tokenizer $chat, own template $features, prompt $prompt", (golden) => {
    const tokenizer = tokenizers.get(golden.tokenizer)!;
    const template = new ChatTemplate(tokenizer, golden.features ? features : undefined);
    const options = { addGenerationPrompt: golden.prompt };
    expect(template.render(messages[golden.chat]!, options)).toBe(golden.text);
    if (golden.ids !== undefined)
      expect(template.encode(messages[golden.chat]!, options)).toEqual(golden.ids);
  });
});

describe("special tokens in messages", () => {
  it("stay text: the sections between the template's own tokens are plain", () => {
    const content = messages.smuggled![0]!.content;
    const ids = new ChatTemplate(qwen).encode(messages.smuggled!);
    const [start, end] = [qwen.idOf("<|im_start|>")!, qwen.idOf("<|im_end|>")!];
    const system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
    expect(ids).toEqual([
      start,
      ...qwen.encode(`system\n${system}`),
      end,
      ...qwen.encode("\n"),
      start,
      ...qwen.encode(`user\n${content}`),
      end,
      ...qwen.encode("\n"),
      start,
      ...qwen.encode("assistant\n"),
    ]);
  });

  it("stay text in roles and tools, and noncharacters in messages survive", () => {
    const ids = new ChatTemplate(qwen).encode(
      [{ role: "user", content: "\ufdd0<|im_end|>\ufdd1" }],
      { tools: [{ type: "function", function: { name: "f", description: "<|im_start|>" } }] },
    );
    const count = (token: string) => ids.filter((id) => id === qwen.idOf(token)).length;
    expect([count("<|im_start|>"), count("<|im_end|>")]).toEqual([3, 2]);
    expect(qwen.decode(ids)).toContain("\ufdd0<|im_end|>\ufdd1");
  });
});

describe("a template", () => {
  const render = (source: string, now?: Date) =>
    new ChatTemplate(qwen, source).render(chat, now === undefined ? {} : { now });

  it("that is missing or broken is an error that says what to do", async () => {
    const gpt2 = await Tokenizer.load(tokenizerFolder("gpt2"));
    expect(() => new ChatTemplate(gpt2)).toThrow(/expected a chat template, found none/);
    expect(() => render("{% if %}")).toThrow(/chat template does not work/);
    expect(() => render("{{ messages[0].content.nothing() }}")).toThrow(/does not work/);
    expect(() => render("{{ raise_exception('roles must alternate') }}")).toThrow(
      /refuses it: roles must alternate/,
    );
  });

  it.each([
    ["counts too far", "{% for i in range(1000000000) %}x{% endfor %}"],
    ["loops in loops", `${"{% for i in range(9999) %}".repeat(3)}${"{% endfor %}".repeat(3)}`],
    [
      "doubles a text",
      "{% set ns = namespace(s='aaaa') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    ],
    [
      "doubles a list",
      "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    ],
    ["writes without end", "{% for i in range(200000) %}{{ 'y' }}{% endfor %}"],
    ["calls itself", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"],
  ])("that %s is stopped", (_, source) => {
    expect(() => render(source)).toThrow(/template was stopped|does not work/);
  });

  it("sees a date only when it is given", () => {
    const source = "{{ strftime_now('%d %b %Y') if strftime_now is defined else 'none' }}";
    expect(render(source)).toBe("none");
    expect(render(source, new Date(2024, 6, 4))).toBe("04 Jul 2024");
  });

  it("cannot reach the host's objects", () => {
    for (const name of ["constructor", "__proto__", "process", "globalThis"])
      expect(render(`{{ ${name} is defined }} {{ messages[0].${name} is defined }}`)).toBe(
        "false false",
      );
  });
});

describe("generation defaults", () => {
  const withFile = (
    generation: unknown,
    config: object = { eos_token: "<eos>", pad_token: "<pad>" },
  ) => {
    const special = ["<pad>", "<eos>", "<eot>"].map((content, id) => ({
      id,
      content,
      special: true,
    }));
    const json = {
      added_tokens: special,
      model: { type: "WordLevel", vocab: {}, unk_token: null },
    };
    const tokenizer = new Tokenizer(json, config);
    const bytes = new TextEncoder().encode(JSON.stringify(generation));
    const files = new Map([...tokenizer.files, ["generation_config.json", bytes]]);
    return Object.assign(Object.create(tokenizer), { files }) as Tokenizer;
  };

  it("read one end token or several, and the settings", () => {
    const several = {
      eos_token_id: [2, 1],
      temperature: 0.7,
      top_p: 0.8,
      top_k: 20,
      do_sample: true,
    };
    expect(generationDefaults({ eosTokenIds: [7] }, withFile(several))).toMatchObject({
      eosTokenIds: [2, 1],
      endTokenId: 1,
      padTokenId: 0,
      temperature: 0.7,
      topP: 0.8,
      topK: 20,
      doSample: true,
      minP: undefined,
    });
    const one = generationDefaults({ eosTokenIds: [7] }, withFile({ eos_token_id: 2, top_k: 0 }));
    expect(one).toMatchObject({ eosTokenIds: [2], endTokenId: 2, topK: undefined });
  });

  it("fall back to config.json, and the configuration takes them over", () => {
    const defaults = generationDefaults({ eosTokenIds: [7, 1] }, withFile({ eos_token_id: null }));
    expect(defaults).toMatchObject({ eosTokenIds: [7, 1], endTokenId: 1, bosTokenId: undefined });
    const config = withEndTokens({ eosTokenIds: [9], other: 1 }, defaults);
    expect(config).toEqual({ eosTokenId: 1, eosTokenIds: [1, 7], other: 1 });
  });

  it("name a field that is wrong", () => {
    expect(() => generationDefaults({ eosTokenIds: [1] }, withFile({ top_p: 7 }))).toThrow(/top_p/);
  });
});
