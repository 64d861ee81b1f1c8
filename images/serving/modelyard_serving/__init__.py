"""The model server: one revision of one model, over V2 and the SageMaker protocol."""
