"""Pure decisions: values in, values out; imports the model only."""
