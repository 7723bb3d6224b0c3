"""The desk: the pages of a bureau's operators, over the operators' API alone."""
