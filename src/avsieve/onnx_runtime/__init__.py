"""ONNX sessions, and the models that are shipped."""
