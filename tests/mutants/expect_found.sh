#!/bin/sh
# expect_found.sh PROGRAM: succeeds if the model test PROGRAM found what is wrong with it. A crash, or a
# Redis that does not start, is no finding.
output=$("$1" --gtest_brief=1 2>&1)
code=$?
echo "$output"
[ "$code" -eq 1 ] && echo "$output" | grep -q "broken invariant, again: WSROUTER_MODEL_SEED="
