"""What a Task's ``Resource`` does: one module per integration, by the names of AWS.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
"""
