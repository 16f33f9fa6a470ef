/**
 * @file Templates for models that bring none. Both mark what the assistant says with `{% generation %}` and end it with a
 * token that ends generation. ChatML is for models whose end token is `<|im_end|>`; in any other vocabulary its tokens
 * are untrained or missing, so base models get words that they know from their own training.
 */

export const chatMlTemplate = `{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.role == 'assistant' -%}
{%- generation -%}
{{- message.content + '<|im_end|>' -}}
{%- endgeneration -%}
{{- '\\n' -}}
{%- else -%}
{{- message.content + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}`;

export const plainTemplate = `{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{{- 'Answer:' -}}
{%- generation -%}
{{- ' ' + message.content -}}
{{- eos_token -}}
{%- endgeneration -%}
{%- if not loop.last -%}
{{- '\\n\\n' -}}
{%- endif -%}
{%- elif message.role == 'user' -%}
{{- 'Question: ' + message.content + '\\n' -}}
{%- else -%}
{{- message.content + '\\n\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- 'Answer:' -}}
{%- endif -%}`;
