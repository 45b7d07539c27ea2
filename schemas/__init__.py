"""What things look like: the contact rows, the results file, the API.

The rest of the project imports this package; it imports nothing of ours.
"""
