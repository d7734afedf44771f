"""Quality: is each record what it is meant to be?"""
