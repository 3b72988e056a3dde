"""The declaration desk: is the declaration accepted or rejected?"""
