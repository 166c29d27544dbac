"""Makes a language model with random weights: `python tiny_model.py FOLDER TEMPLATE PROMPTS`.

TEMPLATE is a chat template or empty, PROMPTS a JSON list of conversations. Prints as JSON what the saved model says to each,
found with ``generate`` alone, without the pipeline that is tested.
"""

from __future__ import annotations

import json
import sys
from typing import Any

TOKENS = 12


def main(folder: str, template: str, prompts: list[list[dict[str, Any]]]) -> None:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(["<end>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")
    if template:
        fast.chat_template = template
    fast.save_pretrained(folder)
    torch.manual_seed(7)
    size = len(vocabulary)
    config = GPT2Config(
        vocab_size=size, n_positions=2048, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    GPT2LMHeadModel(config).save_pretrained(folder)

    model, loaded = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    answers = []
    for messages in prompts:
        text = messages[-1]["content"]
        if template:
            text = loaded.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        encoded = loaded(text, return_tensors="pt")
        made = model.generate(**encoded, max_new_tokens=TOKENS, do_sample=False, pad_token_id=0)
        answers.append(loaded.decode(made[0][encoded["input_ids"].shape[1] :], skip_special_tokens=True))
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
