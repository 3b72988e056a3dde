"""The declaration desk: does it accept or reject a declaration?"""
