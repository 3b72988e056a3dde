"""The risk desk: which lane, which controls, and why?"""
