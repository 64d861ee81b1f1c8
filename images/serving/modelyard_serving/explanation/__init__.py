"""Why the model answered a row as it did: Shapley values of its columns, against rows of the training data.

Nothing of this is loaded before the first request for an explanation.
"""
