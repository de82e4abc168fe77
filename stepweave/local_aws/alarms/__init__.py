"""Alarms of CloudWatch: evaluated by the layer's clock, period by period, missing data as the alarm says.

What alarms there are, composite alarms and the history stay ministack's; so does who is told.
"""
