"""The models of LangChain under the module name that openai/evals has for them."""

from aigc_evals.completion_fns.langchain import LangChainChatModelCompletionFn as LangChainChatModelCompletionFn
from aigc_evals.completion_fns.langchain import LangChainLLMCompletionFn as LangChainLLMCompletionFn
