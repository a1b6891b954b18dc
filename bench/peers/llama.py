"""The same decoder as a transformers model, with random weights."""

from transformers import LlamaConfig, LlamaForCausalLM


def make_model(shape):
    config = LlamaConfig(
        vocab_size=shape["vocab"],
        hidden_size=shape["dModel"],
        intermediate_size=shape["dFf"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["kvHeads"],
        max_position_embeddings=shape["prompt"] + shape["new"],
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return LlamaForCausalLM(config).eval()
