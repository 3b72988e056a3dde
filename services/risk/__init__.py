"""The risk desk: which lane do goods take, which controls must be answered, and why?"""
