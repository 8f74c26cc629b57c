"""The staff's pages: why an answer came out, golden questions, flagged answers, what is missing."""
